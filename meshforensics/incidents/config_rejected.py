"""A proxy refuses what the control plane sends it, now."""

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import (
    complete,
    failed_by,
    first_at,
    how_many,
    impact_of,
    missing,
    of_unconfigured,
    shown,
    subjects_of,
)
from meshforensics.model import format_time
from meshforensics.model.words import count_of
from meshforensics.tables import text, texts, true


@incident(
    "config-rejected", about="A proxy rejects an update (NACK) and runs its last good one, or none.", precedence=10
)
def config_rejected(case: Case) -> Judgement:
    """Current rejections only: an update accepted later refutes it."""
    rejections = case.source.frame("rejections")
    current = rejections[true(rejections["current"], missing=True)]
    makers = behind(case, current)
    passed = True if len(current) else (False if complete(case, "xds_sync", "listener_instances") else None)
    messages = sorted(set(text(current["message"]).str.strip()))
    failed = refused_for_want_of_listeners(case, current)
    said = "; ".join(messages[:3]) + (f" (consistent with {', '.join(makers)})" if makers else "")
    return Judgement(
        tests=(
            Test(
                name="update-rejected",
                role="necessary",
                passed=passed,
                thin=not true(current["current"], missing=False).any(),
                text=f"{count_of(len(subjects_of(current)), 'proxy')} rejected: {said}"
                if len(current)
                else "no current rejection was seen",
                check="sync.rejected",
                evidence=shown(case, current),
                missing=() if passed is not None else missing(case, "xds_sync", "istiod.syncz"),
            ),
        ),
        subjects=(*subjects_of(current), *makers),
        onset=first_at(current),
        mechanism="rejected update",
        summary=f"{', '.join(subjects_of(current)[:4])} rejected its configuration: {messages[0]}. "
        + (f"Consistent with {', '.join(makers)}." if makers else "")
        if messages
        else "",
        next="Correct the object that made the resource; do not restart the proxy, a new one has no last good "
        "configuration.",
        impact=impact_of(case, failed),
        explained=how_many(failed),
    )


def refused_for_want_of_listeners(case: Case, rejected: pd.DataFrame) -> pd.DataFrame:
    """Calls that could not connect to a proxy, because it refused its listeners and had no good ones to keep."""
    failed = of_unconfigured(case, failed_by(case, ("connect-failure",)))
    return failed if "lds" in set(texts(rejected["type"])) else failed.iloc[:0]


def behind(case: Case, rejected: pd.DataFrame) -> tuple[str, ...]:
    """The objects that made rejected resources: as the dump names them, else EnvoyFilters that fit.

    An EnvoyFilter fits when it applies to the proxy's namespace; among several the last changed before
    the rejection is named. It is an inference: Envoy does not say which patch it refused.
    """
    named = sorted({each for each in texts(rejected["object"]) if each}) if "object" in rejected else []
    if named:
        return tuple(named)
    config = case.source.frame("config")
    filters = config[config["kind"] == "EnvoyFilter"]
    found = set()
    for namespace, at in zip(texts(rejected["namespace"]), rejected["at"], strict=True):
        fits = filters[text(filters["namespace"]).isin([namespace, "istio-system"])]
        when = fits["changed_at"].fillna(fits["created_at"])
        earlier = fits if pd.isna(at) else fits[when <= at + pd.Timedelta(seconds=5)]
        if len(earlier):
            newest = when[earlier.index].sort_values(kind="stable").index[-1]
            found.add(str(earlier.loc[newest, "object"]))
    return tuple(sorted(found))


def rejected_in_words(case: Case) -> str:
    """The current rejections in one sentence; empty when there are none."""
    rejections = case.source.frame("rejections")
    current = rejections[true(rejections["current"], missing=True)]
    if current.empty:
        return ""
    makers = behind(case, current)
    since = format_time(first_at(current))
    who = ", ".join(subjects_of(current)[:3])
    return f"{who} rejected an update{f' at {since}' if since else ''}" + (f" ({', '.join(makers)})" if makers else "")
