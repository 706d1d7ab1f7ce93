"""A change of version or revision after which requests fail."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Test, incident
from meshforensics.incidents._evidence import (
    edges_in_words,
    failed_by,
    first_at,
    how_many,
    impact_of,
    missing,
    shown,
    subjects_of,
)
from meshforensics.incidents.config_rejected import behind, refused_for_want_of_listeners, rejected_in_words
from meshforensics.incidents.route_to_missing_cluster import behind_missing
from meshforensics.model import Evidence, format_time
from meshforensics.model.words import count_of
from meshforensics.tables import text, texts, true

_ONE_PASS = pd.Timedelta(seconds=10)
"""Istiods are asked one after the other: versions no further apart than this are side by side, and no change."""

FAMILIES = ("no-cluster", "no-route", "protocol", "no-filter-chain", "tls-to-plaintext")
_TROUBLE = ("routing.missing-cluster", "sync.rejected")
"""Checks that find what a new version may have broken."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of version: after the last sight of the old one, not later than the first of the new."""

    old: str
    new: str
    after: datetime | None
    before: datetime | None
    evidence: tuple[Evidence, ...]


@incident(
    "upgrade-503",
    about="After a change of version or revision, requests fail for a cause that dates from it.",
    precedence=30,
    notebook="upgrade_503",
)
def upgrade_503(case: Case) -> Judgement:
    """Errors that began before the change refute it."""
    change = version_change(case)
    failed = _by_configuration(case)
    onset = first_at(failed)
    rejected = rejected_in_words(case)
    cause = _cause(case, failed)
    trouble = bool(len(failed) or case.found(*_TROUBLE))
    tests = (_changed(case, change, trouble=trouble), cause, _dates(case, change, onset))
    said = f"Since {change.old} became {change.new}" if change else "After a change"
    return Judgement(
        tests=tests,
        subjects=tuple(dict.fromkeys((*subjects_of(failed), *_culprits(case)))),
        onset=onset,
        mechanism="routes name what the new configuration no longer has" if len(failed) else "",
        summary=f"{said}, {count_of(how_many(failed), 'call fails', 'calls fail')}: {edges_in_words(failed)}."
        + (f" Apart from that, {rejected}." if rejected else ""),
        next="Restore what the failing routes name (DestinationRule subset or destination); roll back the revision "
        "by its tag if more routes fail.",
        impact=impact_of(case, failed),
        explained=how_many(failed),
    )


def _by_configuration(case: Case) -> pd.DataFrame:
    """The failed calls whose cause is configuration: also those to a proxy that refused its listeners."""
    failed = failed_by(case, FAMILIES)
    rejections = case.source.frame("rejections")
    current = rejections[true(rejections["current"], missing=False)]
    refused = refused_for_want_of_listeners(case, current)
    return pd.concat([failed, refused], ignore_index=True) if len(refused) else failed


def version_change(case: Case) -> Change | None:
    """The newest change of the control plane's version between captures, or a skew to the proxies."""
    versions = case.source.over_time("versions")
    pilots = versions[versions["component"] == "pilot"].sort_values("captured_at", kind="stable")
    seen = pilots.drop_duplicates(["version", "captured_at"])
    for older, newer in reversed(list(zip(seen.index[:-1], seen.index[1:], strict=True))):
        old, new = seen.loc[older], seen.loc[newer]
        if old["version"] != new["version"] and new["captured_at"] - old["captured_at"] > _ONE_PASS:
            return Change(
                old=f"istiod {old['version']}",
                new=f"istiod {new['version']}",
                after=_instant(old["captured_at"]),
                before=_instant(new["captured_at"]),
                evidence=shown(case, pd.DataFrame([old, new])),
            )
    return _skew(case, pilots)


def _skew(case: Case, pilots: pd.DataFrame) -> Change | None:
    versions = case.source.frame("versions")
    proxies = case.source.frame("proxies")
    held = sorted({*text(proxies["version"]), *text(versions[versions["component"] == "proxy"]["version"])} - {""})
    told = _newest(pilots)
    current = texts(told["version"])
    others = [version for version in held if current and minor(version) != minor(current[0])]
    if not others:
        return None
    started = _istiod_started(case)
    places = pd.concat([told, versions[versions["version"].isin(others)]])
    return Change(
        old=f"proxies {', '.join(others)}",
        new=f"istiod {current[0]}",
        after=started,
        before=started,
        evidence=shown(case, places),
    )


def _newest(pilots: pd.DataFrame) -> pd.DataFrame:
    """The row of the highest version of the last pass: while an upgrade is under way, both answer in one."""
    known = pilots[pilots["version"].notna()]
    last: pd.DataFrame = known[~(known["captured_at"] < known["captured_at"].max() - _ONE_PASS)]
    order = [tuple(map(int, re.findall(r"\d{1,9}", version)[:3])) for version in texts(last["version"])]
    return last.iloc[[order.index(max(order))]] if order else last


def minor(version: str) -> str:
    """``1.29`` of ``1.29.2-distroless``."""
    return ".".join(version.split("-", maxsplit=1)[0].split(".")[:2])


def _istiod_started(case: Case) -> datetime | None:
    containers = case.source.frame("containers")
    istiods = containers[containers["container"] == "discovery"]
    at = istiods["started_at"].max() if len(istiods) else pd.NaT
    return _instant(at if not pd.isna(at) else _rolled_out(case))


def _rolled_out(case: Case) -> object:
    """When a replica set of istiod was last scaled up, as the events tell it."""
    events = case.source.frame("events")
    scaled = (events["reason"] == "ScalingReplicaSet") & text(events["message"]).str.startswith("Scaled up")
    return events[scaled & text(events["name"]).str.startswith("istiod")]["at"].max()


def _instant(at: object) -> datetime | None:
    return None if pd.isna(at) else pd.Timestamp(at).to_pydatetime()  # type: ignore[call-overload, arg-type]


def _changed(case: Case, change: Change | None, *, trouble: bool) -> Test:
    """Versions that differ are no trouble by themselves: they speak for an incident beside some trouble only."""
    of_mesh = text(case.source.frame("versions")["component"]).isin(["pilot", "proxy"]).any()
    reason = case.source.reason("versions") or ("" if of_mesh else "not captured: versions of istiod and of proxies")
    return Test(
        name="version-changed",
        role="necessary",
        passed=(trouble or None) if change else (None if reason else False),
        text=f"{change.old} became {change.new}" if change else reason or "one version throughout",
        check="upgrade-503.version-changed",
        evidence=change.evidence if change else (),
        missing=missing(case, "versions", "istiod.version") if reason else (),
    )


def _cause(case: Case, failed: pd.DataFrame) -> Test:
    found = case.found(*_TROUBLE)
    reason = case.source.reason("calls")
    return Test(
        name="requests-fail-by-configuration",
        role="necessary",
        passed=True if len(failed) else (None if reason else False),
        thin=not found,
        text=f"{count_of(how_many(failed), 'call fails', 'calls fail')} by configuration: {edges_in_words(failed)}"
        + (f"; {found[0].detail}" if found else "")
        if len(failed)
        else reason or "no call fails for a missing cluster, route or filter chain in the window",
        check="traffic.server-errors",
        evidence=(*shown(case, failed), *(place for each in found for place in each.evidence[:1])),
        missing=missing(case, "calls", "log.istio-proxy") if reason else (),
    )


def _dates(case: Case, change: Change | None, onset: datetime | None) -> Test:
    slack = timedelta(seconds=case.profile.number("upgrade.onset-slack"))
    passed = None
    said = "when the version changed against the first error is not known"
    if change and change.after and onset:
        newest = change.before or change.after
        latest = newest + timedelta(seconds=case.profile.number("upgrade.change-before"))
        passed = change.after - slack <= onset <= latest
        said = (
            f"the first failed call is of {format_time(onset)}; the change came after {format_time(change.after)} "
            f"and not after {format_time(newest)}"
        )
    return Test(
        name="errors-date-from-the-change",
        role="necessary",
        passed=passed,
        text=said,
        check="upgrade-503.onset",
        missing=missing(case, "versions", "istiod.version") if passed is None else (),
    )


def _culprits(case: Case) -> tuple[str, ...]:
    found = case.found("routing.missing-cluster")
    clusters = {str(each.observed.value) for each in found if each.observed}
    rejections = case.source.frame("rejections")
    current = rejections[true(rejections["current"], missing=True)]
    return tuple(dict.fromkeys((*behind_missing(case, clusters), *behind(case, current))))
