"""Calls by edge, caller to host: how many there were, how many failed, and how."""

import pandas as pd

from meshforensics.model.words import count_of
from meshforensics.tables import places, text

_COLUMNS = (
    "caller",
    "host",
    "total",
    "failed_calls",
    "share",
    "at",
    "began",
    "last",
    "family",
    "decided_by",
    "flags",
    "ways",
)
_WAYS = 3


def edges(calls: pd.DataFrame, chosen: "pd.Series[bool]", *more: str) -> pd.DataFrame:
    """One row per caller, host and further columns with a chosen call: counts, share, first instant and places.

    `began` is when the edge's own first one was: a finding of several edges is dated by the earliest of all.
    `ways` is in words how they ended: status, flags and response code details, the commonest first.
    """
    columns = [*_COLUMNS, *more, "evidence"]
    if calls.empty:
        return pd.DataFrame(columns=columns)
    edge = ["caller", "host"]
    total = {key: len(group) for key, group in calls.groupby(edge, observed=True)}
    rows = []
    for key, group in calls[chosen].groupby([*edge, *more], observed=True):
        count = total[key[:2]]
        rows.append(
            {
                **dict(zip([*edge, *more], key, strict=True)),
                "total": count,
                "failed_calls": len(group),
                "share": len(group) / count,
                "at": group["at"].min(),
                "began": group["at"].min(),
                "last": group["at"].max(),
                "family": commonest(group["family"]),
                "decided_by": commonest(group["decided_by"]),
                "flags": commonest(group["flags"].map(_joined)),
                "ways": _ways(group),
                "evidence": places(group),
            }
        )
    return pd.DataFrame(rows, columns=columns)


def together(rows: pd.DataFrame, *by: str) -> pd.DataFrame:
    """Edges with `together`: in words the sum over all callers of one cause, where there are several.

    A finding tells of its worst edge; a service that many callers fail to reach is worse than that edge alone.
    """
    said = pd.Series("", index=rows.index, dtype="str")
    for _, group in rows.groupby([text(rows[name]).rename(name) for name in by]) if len(rows) else ():
        if len(group) > 1:
            failed, total = int(group["failed_calls"].sum()), int(group["total"].sum())
            said[group.index] = f"; all {len(group)} callers together: {failed} of {total}"
    return rows.assign(together=said)


def has_flag(calls: pd.DataFrame, *flags: str) -> "pd.Series[bool]":
    """Whether each call has one of some response flags."""
    wanted = set(flags)
    held = [isinstance(each, tuple) and bool(wanted & set(each)) for each in calls["flags"]]
    return pd.Series(held, index=calls.index, dtype=bool)


def commonest(values: "pd.Series[str]") -> str:
    """The value that occurs most often; of several the first by name."""
    counted = text(values).value_counts()
    most = counted[counted == counted.max()]
    return str(min(most.index.astype("str")))


def _joined(flags: object) -> str:
    return ",".join(map(str, flags)) if isinstance(flags, tuple) and flags else "-"


def _ways(calls: pd.DataFrame) -> str:
    """``503 UF upstream_reset…: 14, 500 -: 2``."""
    status = calls["status"].astype("object").where(calls["status"].notna(), "-").astype("str")
    details = text(calls["details"]).str.replace(r"[{|\[].*", "", regex=True).replace("-", "")
    said = (status + " " + calls["flags"].map(_joined).astype("str") + " " + details).str.strip()
    counted = said.value_counts()
    ordered = sorted(counted.items(), key=lambda each: (-each[1], str(each[0])))
    more = f" and {count_of(len(ordered) - _WAYS, 'more way')}" if len(ordered) > _WAYS else ""
    return ", ".join(f"{way}: {count}" for way, count in ordered[:_WAYS]) + more
