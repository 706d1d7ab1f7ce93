"""What a postmortem asks beside the cause: how long it failed, what contributed, what could be noticed first."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._evidence import recent_calls
from meshforensics.incidents.causes.changes import pool_limits
from meshforensics.incidents.causes.rotation_effects import overlap
from meshforensics.incidents.upgrade_503 import minor
from meshforensics.model import Severity
from meshforensics.model.words import count_of
from meshforensics.tables import text, texts, true

KUBECTL = ("kubectl", "kubectl-edit", "kubectl-client-side-apply", "kubectl-patch", "kubectl-create", "kubectl-replace")
"""Field managers of kubectl: of a person at a terminal, or of a script that calls it."""

BEFORE = timedelta(hours=24)
"""Changes so long before the first failure are told."""

UNLIMITED = 2**32 - 1

_FACTORS = ["factor", "says", "remedy", "item", "pointer"]


def span_of_failure(case: Case) -> dict[str, Any]:
    """From when to when calls failed as far as they were captured: first, last, failed, total, goes_on.

    `goes_on` is whether a call failed in the last tenth of the time that calls cover: then the end is not seen.
    """
    calls = recent_calls(case)
    dated = calls[calls["at"].notna()]
    failed = dated[true(dated["failed"], missing=False)]
    if failed.empty:
        return {}
    start, end = dated["at"].min(), dated["at"].max()
    first, last = failed.sort_values("at", kind="stable").iloc[0], failed.sort_values("at", kind="stable").iloc[-1]
    return {
        "first": first["at"],
        "last": last["at"],
        "failed": int(failed["calls"].sum()),
        "total": int(dated["calls"].sum()),
        "goes_on": bool(last["at"] >= end - (end - start) / 10),
        "places": ((str(first["item"]), str(first["pointer"])), (str(last["item"]), str(last["pointer"]))),
    }


def factors(case: Case, onset: datetime | None) -> pd.DataFrame:
    """What may have contributed, as far as the evidence shows it: factor, says, remedy."""
    rows = [
        *_edits(case, onset),
        *_skew(case),
        *_one_istiod(case),
        *_no_overlap(case),
        *_unlimited(case),
        *_filters(case),
    ]
    return pd.DataFrame(rows, columns=_FACTORS)


def _edits(case: Case, onset: datetime | None) -> Iterator[tuple[str, ...]]:
    config = case.source.frame("config")
    changed = config[config["changed_by"].isin(KUBECTL) & config["changed_at"].notna()]
    for _, row in changed.iterrows():
        at = row["changed_at"].to_pydatetime()
        if onset is not None and onset - BEFORE <= at <= onset:
            seconds = (onset - at).total_seconds()
            said = f"{row['object']} was changed by {row['changed_by']} {seconds:,.1f} s before the first failure"
            remedy = "Let changes of mesh objects pass a review and `istioctl analyze`, one namespace first."
            yield "A change by kubectl just before", said, remedy, str(row["item"]), str(row["pointer"])


def _skew(case: Case) -> Iterator[tuple[str, ...]]:
    versions = case.source.frame("versions")
    pilots = versions[versions["component"] == "pilot"]
    if pilots.empty:
        return
    newest = pilots.iloc[-1]
    proxies = case.source.frame("proxies")
    others = proxies[
        (text(proxies["version"]) != "") & (text(proxies["version"]).map(minor) != minor(str(newest["version"])))
    ]
    if len(others):
        held = ", ".join(sorted(set(texts(others["version"]))))
        said = (
            f"{count_of(len(others), 'proxy runs', 'proxies run')} {held} under a control plane of {newest['version']}"
        )
        remedy = "Keep proxies within one minor version of their control plane; move by revision and tag."
        yield "Versions apart", said, remedy, str(newest["item"]), str(newest["pointer"])


def _one_istiod(case: Case) -> Iterator[tuple[str, ...]]:
    pods = case.source.frame("pods")
    istiods = pods[text(pods["labels"]).str.contains('"istiod"') & (pods["phase"] == "Running")]
    if len(istiods) == 1:
        row = istiods.iloc[0]
        said = f"one istiod runs, {row['namespace']}/{row['pod']}"
        remedy = "Run two replicas of istiod with a disruption budget: a restart then freezes nothing."
        yield "One replica of the control plane", said, remedy, str(row["item"]), str(row["pointer"])


def _no_overlap(case: Case) -> Iterator[tuple[str, ...]]:
    for _, row in overlap(case).iterrows():
        lacking = len(row["only_older"]) + len(row["only_newer"])
        if lacking:
            said = (
                f"{count_of(lacking, 'proxy')} did not trust both roots when the first leaf of {row['root']} was there"
            )
            remedy = "Give out both roots and wait for all proxies before the signer changes."
            yield "A root changed without an overlap", said, remedy, str(row["item"]), str(row["pointer"])


def _unlimited(case: Case) -> Iterator[tuple[str, ...]]:
    for _, row in pool_limits(case).iterrows():
        limits = [row["max_connections"], row["max_requests"]]
        if all(not pd.isna(each) and each >= UNLIMITED for each in limits):
            said = f"{row['cluster']} of {row['proxy']} has no limit of connections or requests"
            remedy = "Set connectionPool limits and an idle timeout in the DestinationRule of the host."
            yield "A pool without limits", said, remedy, str(row["item"]), str(row["pointer"])


def _filters(case: Case) -> Iterator[tuple[str, ...]]:
    config = case.source.frame("config")
    own = config[config["kind"] == "EnvoyFilter"]
    if len(own):
        names = ", ".join(text(own["object"]).head(3))
        remedy = "Test EnvoyFilters against the next version before it rolls out, or replace them by the API."
        yield (
            "EnvoyFilters tie the mesh to a version",
            names,
            remedy,
            str(own["item"].iloc[0]),
            str(own["pointer"].iloc[0]),
        )


def first_signs(case: Case, onset: datetime | None) -> pd.DataFrame:
    """What could have been noticed, by when: at, sign, check, seconds (after the first failure; negative is before)."""
    rows = []
    for each in case.findings:
        if each.at is None or each.severity == Severity.INFO or each.muted:
            continue
        place = each.evidence[0]
        rows.append((pd.Timestamp(each.at), f"{each.title}: {each.detail}", each.check, place.item, place.pointer))
    frame = pd.DataFrame(rows, columns=["at", "sign", "check", "item", "pointer"])
    frame = frame.sort_values(["at", "check"], kind="stable", ignore_index=True)
    seconds = [float("nan") if onset is None else (at - pd.Timestamp(onset)).total_seconds() for at in frame["at"]]
    return frame.assign(seconds=seconds)


def not_looked_at(case: Case) -> tuple[str, ...]:
    """The kinds of sources that would tell of detection and were not captured."""
    wanted = {"samples": "Prometheus", "events": "Kubernetes events", "alert_times": "alert rules"}
    return tuple(name for table, name in wanted.items() if case.source.reason(table))
