"""Read cells of a frame as plain values."""

import pandas as pd


def cells(frame: pd.DataFrame, *columns: str, **equal: object) -> list[tuple[object, ...]]:
    """The chosen columns of the rows in which other columns have the given values; missing is None."""
    chosen = frame
    for name, value in equal.items():
        chosen = chosen[chosen[name] == value]
    return [tuple(_plain(value) for value in row) for row in chosen[list(columns)].itertuples(index=False, name=None)]


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return value
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return None if pd.isna(value) else value  # type: ignore[call-overload]
