"""Signatures: lines of any log whose text is a known error of a mesh."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from meshforensics.formats.signatures import Signature, signature_of, signature_of_flags
from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, keys, text, texts, true

_NAMES = (
    "namespace",
    "pod",
    "captured_at",
    "at",
    "first_at",
    "times",
    "log",
    "signature",
    "family",
    "plane",
    "who",
    "cause",
    "fix",
    "text",
    "cluster",
    "item",
    "pointer",
)
_NOWHERE = ("BlackHoleCluster", "PassthroughCluster")
"""Where Istio sends what is for no destination that it knows."""


def _signatures(
    access_log: pd.DataFrame = ABSENT,
    proxy_log: pd.DataFrame = ABSENT,
    istiod_log: pd.DataFrame = ABSENT,
    other_log: pd.DataFrame = ABSENT,
    events: pd.DataFrame = ABSENT,
    containers: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = [
        *_of_access(access_log),
        *_matches(proxy_log, "proxy", text(proxy_log["message"])),
        *_matches(istiod_log, "istiod", text(istiod_log["message"])),
        *_matches(_timed(other_log, containers), "other", text(other_log["message"])),
        *_matches(_of_pods(events), "event", _said_of(events)),
    ]
    return pd.DataFrame(rows, columns=list(_NAMES))


def _of_access(log: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """Lines of access logs: by their texts, and where they have none by their flags."""
    nowhere = log["cluster"].isin(_NOWHERE) & _flagged(log)
    where = (" upstream cluster " + text(log["cluster"])).where(nowhere, "")
    said = text(log["failure_reason"]) + " " + text(log["details"]) + where
    yield from _matches(log, "access", said)
    untold = log[_flagged(log) & (said.str.strip() == "")]
    for flags, http, (_, row) in zip(untold["flags"], untold["method"].notna(), untold.iterrows(), strict=True):
        found = signature_of_flags(flags, http=http)
        if found is not None:
            yield _row(row, "access", found, f"flags {','.join(flags)}")


def _flagged(log: pd.DataFrame) -> "pd.Series[bool]":
    """Lines with a response flag."""
    return pd.Series([isinstance(each, tuple) and bool(each) for each in log["flags"]], index=log.index, dtype=bool)


def _said_of(events: pd.DataFrame) -> "pd.Series[str]":
    """Reason and message of each event, with the container that it is about."""
    container = (" (container " + text(events["container"]) + ")").where(events["container"].notna(), "")
    return text(events["reason"]) + ": " + text(events["message"]).str.strip() + container


def _of_pods(events: pd.DataFrame) -> pd.DataFrame:
    """Events as lines of the pods that they are about."""
    return events.assign(pod=text(events["name"]).where(events["kind"] == "Pod", ""))


def _timed(log: pd.DataFrame, containers: pd.DataFrame) -> pd.DataFrame:
    """With times: what says how long its process runs is timed by the start of the container that wrote it."""
    if log.empty or containers.empty or not (log["at"].isna() & log["uptime_s"].notna()).any():
        return log
    began: dict[tuple[str, ...], list[tuple[pd.Timestamp, pd.Timestamp]]] = {}
    stamps = zip(containers["started_at"], containers["last_started_at"], strict=True)
    for holder, (now, last) in zip(keys(containers, "namespace", "pod", "container"), stamps, strict=True):
        if pd.notna(now):
            began.setdefault(holder, []).append((now, last))
    container = text(log["item"]).str.split(":").str[0].str.removeprefix("log.").str.removesuffix(".previous")
    found: list[pd.Timestamp | None] = []
    previous = true(log["previous"], missing=False)
    written = zip(keys(log, "namespace", "pod"), texts(container), log["captured_at"], previous, strict=True)
    for pod, name, taken, before in written:
        known = [each for each in began.get((*pod, name), []) if pd.isna(taken) or each[0] <= taken]
        found.append(max(known, key=lambda each: each[0])[1 if before else 0] if known else None)
    start = pd.Series(found, index=log.index, dtype="datetime64[us, UTC]")
    return log.assign(at=log["at"].fillna(start + pd.to_timedelta(log["uptime_s"].astype("float64"), unit="s")))


def _matches(log: pd.DataFrame, name: str, texts: "pd.Series[str]") -> Iterator[tuple[object, ...]]:
    known = {said: signature_of(said) for said in texts.unique()}
    for position, said in enumerate(texts):
        found = known[said]
        if found is not None:
            yield _row(log.iloc[position], name, found, said.strip())


def _row(row: "pd.Series[Any]", log: str, found: Signature, said: str) -> tuple[object, ...]:
    """A line, or an event that stands for several."""
    return (
        row["namespace"],
        row["pod"],
        row["captured_at"],
        row["at"],
        row.get("first_at", row["at"]),
        row.get("count", 1),
        log,
        found.id,
        found.family,
        found.plane.value,
        found.who,
        found.cause,
        found.fix,
        said,
        row.get("cluster"),
        row["item"],
        row["pointer"],
    )


signatures = Table(
    id="signatures",
    about="Lines of any log, and events, whose text is a known error, with its family, cause and first fix.",
    of="pod",
    columns=(
        Column(
            "at", "datetime64[us, UTC]", about="Time of the line; of an event, when it was seen last.", source="log"
        ),
        Column("first_at", "datetime64[us, UTC]", about="The same; of an event, when it was seen first.", source="log"),
        Column("times", "Int64", about="How often: 1 for a line, the count of an event.", source="log, event"),
        Column("log", "category", about="access, proxy, istiod, other or event.", source="item"),
        Column("signature", "category", about="Id of the signature.", source="formats.signatures"),
        Column("family", "category", about="Family of the error.", source="formats.signatures"),
        Column("plane", "category", about="edge, service, state or control.", source="formats.signatures"),
        Column(
            "who",
            "category",
            about="local: this proxy decided; peer: an alert of the other side; - unknown.",
            source="formats.signatures",
        ),
        Column("cause", "category", about="What it means, in one line.", source="formats.signatures"),
        Column("fix", "category", about="What to do first.", source="formats.signatures"),
        Column("text", "str", about="The text that matched.", source="log"),
        Column("cluster", "category", about="Envoy cluster, for access lines.", source="access log"),
    ),
    derives=_signatures,
)
