"""Events from Kubernetes: restarts, its own events, changes of configuration, and the capture itself."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.model import Plane
from meshforensics.model.words import count_of
from meshforensics.tables import text
from meshforensics.timeline._events import Event, Source, bursts, dated, event, names


def kubernetes_events(source: Source) -> Iterator[Event]:
    """What ended and started, what was changed and by whom, what Kubernetes itself told, the capture."""
    yield from _restarts(source)
    yield from _changes(source)
    yield from _told(source)
    yield from _capture(source)


def _restarts(source: Source) -> Iterator[Event]:
    ended = dated(source.frame("containers"), "last_finished_at")
    for _, row in ended.iterrows():
        subject = f"{row['namespace']}/{row['pod']}"
        code = "" if pd.isna(row["last_exit_code"]) else f", exit code {row['last_exit_code']}"
        said = (
            f"{row['container']} of {row['pod']} ended: {row['last_reason']}{code}; "
            f"{count_of(row['restarts'], 'restart')}"
        )
        yield event(row, row["last_finished_at"], Plane.SERVICE, "restart", subject, said)


def _changes(source: Source) -> Iterator[Event]:
    changed = dated(source.frame("config"), "changed_at")
    for _, row in changed.iterrows():
        by = f" by {row['changed_by']}" if pd.notna(row["changed_by"]) and str(row["changed_by"]) else ""
        yield event(
            row, row["changed_at"], Plane.STATE, "config", str(row["object"]), f"{row['object']} is changed{by}"
        )


def _told(source: Source) -> Iterator[Event]:
    told = dated(source.frame("events"))
    if told.empty:
        return
    told = told[told["type"] != "Normal"]
    for _, rows in told.groupby([text(told["object"]), text(told["reason"])]):
        row = rows.iloc[0]
        said = f"{row['object']}: {row['reason']}: {row['message']}"
        yield event(row, row["at"], Plane.SERVICE, "kubernetes", str(row["object"]), said)


def _capture(source: Source) -> Iterator[Event]:
    seen = dated(source.frame("proxies"), "captured_at")
    for burst in bursts(seen, "captured_at"):
        first = burst.iloc[0]
        said = f"capture of {count_of(burst['pod'].nunique(), 'proxy')}: {names(text(burst['pod']))}"
        yield event(first, first["captured_at"], "", "capture", "-", said)
