"""Events of the control and the state plane: roots, secrets, rejections."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.model import Plane
from meshforensics.tables import text
from meshforensics.timeline._events import Event, Source, bursts, dated, event, names

_ROOT = r"(?i)\b(?:root[ -]?cert|ca cert|plugged-in cert|cacerts|root certificate)"


def control_events(source: Source) -> Iterator[Event]:
    """What istiod said of its roots, which secrets reached proxies, what proxies rejected."""
    yield from _istiod(source)
    yield from _secrets(source)
    yield from _rejections(source)


def _istiod(source: Source) -> Iterator[Event]:
    lines = dated(source.frame("istiod_log"))
    about = lines[text(lines["message"]).str.contains(_ROOT, regex=True)] if len(lines) else lines
    for _, row in about.drop_duplicates(["namespace", "pod", "message"]).iterrows():
        said = f"istiod: {row['message']}"
        yield event(row, row["at"], Plane.CONTROL, "istiod-root", f"{row['namespace']}/{row['pod']}", said)
    known = dated(source.frame("signatures"))
    known = known[known["log"] == "istiod"] if len(known) else known
    for _, rows in known.groupby(["pod", "signature"], observed=True):
        row = rows.iloc[0]
        more = f" ({len(rows)} lines)" if len(rows) > 1 else ""
        said = f"istiod: {row['text']}{more}"
        yield event(row, row["at"], Plane.CONTROL, "istiod-error", f"{row['namespace']}/{row['pod']}", said)


def _secrets(source: Source) -> Iterator[Event]:
    held = dated(source.frame("secret_instances"), "last_updated")
    for name, rows in held.groupby(text(held["name"])) if len(held) else ():
        for burst in bursts(rows, "last_updated"):
            first = burst.iloc[0]
            pods = text(burst["namespace"]) + "/" + text(burst["pod"])
            said = f"secret {name} reaches {names(text(burst['pod']))}"
            yield event(first, first["last_updated"], Plane.STATE, "secret", pods.iloc[0], said)


def _rejections(source: Source) -> Iterator[Event]:
    refused = dated(source.frame("rejections"))
    if refused.empty:
        return
    for _, rows in refused.groupby([text(refused["type"]), text(refused["message"])]):
        row = rows.iloc[0]
        what = f"{row['type']} {row['resource_name']}" if pd.notna(row["resource_name"]) else f"{row['type']}"
        said = f"{names(text(rows['pod']))} reject {what}: {row['message']}"
        yield event(row, row["at"], Plane.CONTROL, "rejection", f"{row['namespace']}/{row['pod']}", said)
