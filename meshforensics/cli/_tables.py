"""Print a frame in one of the forms of `tables`."""

from typing import TextIO

import pandas as pd

from meshforensics.model import UsageError


def write_frame(frame: pd.DataFrame, form: str, out: TextIO) -> None:
    """Write `frame` as text, CSV, JSON lines of records, or Parquet bytes.

    Raises:
        UsageError: Parquet to a terminal.
    """
    if form == "parquet":
        if out.isatty():
            raise UsageError("parquet is no text; send it to a file with > table.parquet")
        out.buffer.write(frame.to_parquet(index=False))
        return
    if form == "csv":
        frame.to_csv(out, index=False)
    elif form == "json":
        out.write(frame.to_json(orient="records", date_format="iso", date_unit="us", default_handler=str) + "\n")
    else:
        shown = frame.drop(columns=[name for name in ("pem", "spec", "evidence") if name in frame.columns])
        out.write(shown.to_string(index=False, max_colwidth=60, na_rep="-") + "\n")
