"""Run checks over tables: give each what it names, and make its rows findings."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import zip_longest
from math import inf, isnan, nan
from numbers import Real
from typing import Any, Protocol, cast

import pandas as pd

from meshforensics.checks._declare import Check
from meshforensics.model import (
    MESH,
    DeclarationError,
    Evidence,
    Finding,
    NotEvaluated,
    Quantity,
    Severity,
    Window,
    format_time,
)
from meshforensics.model.words import in_words
from meshforensics.profile import Profile

EVIDENCE_KEPT = 20
"""At most so many places are kept with a finding; `evidence_total` says how many there were."""

_EXACT = 2.0**53
"""Whole numbers up to here are what they say."""

UNKNOWN_TIME = "capture time unknown, give --at"


class Source(Protocol):
    """Where a check's tables come from."""

    def frame(self, name: str) -> pd.DataFrame:
        """The table as of the instant."""

    def over_time(self, name: str) -> pd.DataFrame:
        """All samples."""

    def reason(self, name: str, *, over_time: bool) -> str:
        """Why the table says nothing; empty when it says something."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """As of when, over which window, by which thresholds; None where the capture time is unknown."""

    at: datetime | None
    window: Window | None
    profile: Profile


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one check: findings, or the reason why it could not run."""

    findings: tuple[Finding, ...] = ()
    not_evaluated: NotEvaluated | None = None


Excerpt = Callable[[str, str], tuple[str, str]]
"""(item id, pointer) to (sha256, excerpt)."""


def run(check: Check, source: Source, context: Context, excerpt: Excerpt) -> Outcome:
    """Evaluate one check."""
    arguments, reason = gather_arguments(check, source, context)
    if reason:
        return Outcome(not_evaluated=NotEvaluated(check=check.id, reason=reason))
    rows = check.rows(**arguments)
    if rows.empty:
        return Outcome()
    return Outcome(findings=tuple(_findings(check, rows, context.profile, excerpt)))


def gather_arguments(check: Check, source: Source, context: Context) -> tuple[dict[str, Any], str]:
    """What the check's function asks for, or the reason why it cannot be had."""
    arguments: dict[str, Any] = {}
    reasons: list[str] = []
    for parameter in check.parameters:
        if not parameter.table:
            arguments[parameter.name] = value = getattr(context, parameter.name)
            if value is None:
                reasons.append(UNKNOWN_TIME)
            elif parameter.name == "at":
                arguments["at"] = pd.Timestamp(value)
            continue
        reason = source.reason(parameter.table, over_time=parameter.over_time)
        if reason and parameter.required:
            reasons.append(reason)
        read = source.over_time if parameter.over_time else source.frame
        arguments[parameter.name] = read(parameter.table)
    return arguments, "; ".join(dict.fromkeys(reasons))


_Judged = tuple[int, float, str, tuple[Severity, float | None], dict[str, Any]]
"""A row of a check: rank of its severity, how far below the worst, subject, severity and limit, and the row."""


def _findings(check: Check, rows: pd.DataFrame, profile: Profile, excerpt: Excerpt) -> Iterable[Finding]:
    lacking = [name for name in check.by if name not in rows.columns]
    if lacking:
        raise DeclarationError(f"check {check.id}: its rows have no column {lacking[0]!r} to group by")
    records = cast("list[dict[str, Any]]", rows[_told(check, rows)].to_dict("records"))
    below = bool(check.threshold) and profile.threshold(check.threshold).direction == "below"
    causes: dict[tuple[str, ...], list[_Judged]] = {}
    for row in records:
        level = _level(check, row, profile)
        if level is not None:
            judged = (level[0].rank, -_weight(row.get(check.observed), below=below), _subject(check, row), level, row)
            causes.setdefault(tuple([str(row[name]) for name in check.by]), []).append(judged)
    for cause in sorted(causes):
        yield _finding(check, causes[cause], profile, excerpt)


_OF_ROWS = ("namespace", "pod", "object", "subject_id", "name", "at", "evidence", "item", "pointer")
_FIELD = re.compile(r"\{(\w+)")


def _told(check: Check, rows: pd.DataFrame) -> list[str]:
    """The columns that a finding is made of: a fault of a thousand proxies may have a million rows."""
    fields = _FIELD.findall(check.detail + check.subject)
    used = {*check.by, *fields, check.observed, check.subject, *_OF_ROWS}
    return [column for column in rows.columns if column in used]


def _level(check: Check, row: Mapping[str, Any], profile: Profile) -> tuple[Severity, float | None] | None:
    if check.severity is not None:
        return check.severity, None
    value = row.get(check.observed)
    return None if value is None or pd.isna(value) else profile.threshold(check.threshold).level(float(value))


def _finding(
    check: Check,
    judged: list[_Judged],
    profile: Profile,
    excerpt: Excerpt,
) -> Finding:
    judged = sorted(judged, key=lambda each: each[:3])
    *_, (severity, limit), first = judged[0]
    subjects = tuple(sorted({subject for _, _, subject, _, _ in judged}))
    rows = [row for *_, row in judged]
    places = _spread(rows)
    since = min((at for row in rows if (at := _at(row)) is not None), default=None)
    values = {key: _say(value) for key, value in first.items()} | ({} if since is None else {"at": _say(since)})
    try:
        detail = in_words(check.detail, **{**values, "count": len(subjects), "subject": _subject(check, first)})
    except KeyError as error:
        raise DeclarationError(f"check {check.id}: its detail names {error}, which no row has") from error
    return Finding(
        check=check.id,
        severity=severity,
        phase=check.phase,
        plane=check.plane,
        title=check.title,
        detail=detail,
        subjects=subjects,
        evidence=tuple(_evidence(place, excerpt) for place in places[:EVIDENCE_KEPT]),
        evidence_total=len(places),
        observed=_observed(check, first),
        threshold=_threshold(check, limit, profile),
        at=since.to_pydatetime() if since is not None else None,
        remediation=check.remediation,
        source=check.source,
    )


def _weight(value: Any, *, below: bool) -> float:
    """How bad a row is beside others of its severity, by what was observed: the worst is the one that is told."""
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else nan
    return -inf if isnan(number) else -number if below else number


def _evidence(place: tuple[str, str], excerpt: Excerpt) -> Evidence:
    sha256, text = excerpt(*place)
    return Evidence(item=place[0], sha256=sha256, pointer=place[1], excerpt=text)


def _spread(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The places of the rows, the earliest first and each row's in turn, so that the first ones tell of all rows."""
    timed = sorted(rows, key=lambda row: at.timestamp() if (at := _at(row)) is not None else inf)
    turns = zip_longest(*(_places(row) for row in timed))
    return list(dict.fromkeys(place for turn in turns for place in turn if place))


def _at(row: Mapping[str, Any]) -> pd.Timestamp | None:
    at = row.get("at")
    return None if at is None or pd.isna(at) else pd.Timestamp(at)


def _places(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    many = row.get("evidence")
    if isinstance(many, (tuple, list)):
        return [(str(item), str(pointer)) for item, pointer in many]
    return [(str(row["item"]), str(row["pointer"]))] if _text(row, "item") else []


def _subject(check: Check, row: Mapping[str, Any]) -> str:
    if "{" in check.subject:
        return check.subject.format_map(row)
    if check.subject:
        return str(row[check.subject])
    if _text(row, "pod"):
        return f"{row['namespace']}/{row['pod']}"
    return _text(row, "object") or _text(row, "subject_id") or _text(row, "name") or MESH


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    return value if isinstance(value, str) else ""


def _observed(check: Check, row: Mapping[str, Any]) -> Quantity | None:
    if not check.observed:
        return None
    value = row[check.observed]
    if value is None or (not isinstance(value, (tuple, list)) and pd.isna(value)):
        return Quantity(name=check.observed, value=None, unit=check.unit)
    if isinstance(value, (pd.Timestamp, datetime)):
        return Quantity(name=check.observed, value=format_time(value), unit="UTC")
    if isinstance(value, str):
        return Quantity(name=check.observed, value=value, unit=check.unit)
    number = float(value)
    whole = number.is_integer() and not isinstance(value, float)
    return Quantity(name=check.observed, value=int(value) if whole else round(number, 6), unit=check.unit)


def _threshold(check: Check, limit: float | None, profile: Profile) -> Quantity | None:
    if limit is None:
        return None
    return Quantity(name=check.threshold, value=limit, unit=profile.threshold(check.threshold).unit)


def _say(value: Any) -> Any:
    if isinstance(value, (pd.Timestamp, datetime)):
        return "unknown" if pd.isna(value) else format_time(value)
    if isinstance(value, (tuple, list)):
        return ", ".join(str(each) for each in value)
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NA:
        return "unknown"
    return _rounded(value) if isinstance(value, float) else value


def _rounded(value: float) -> float:
    """A number as it is read: 3 x 0.2 is 0.6, and 2.0 is 2."""
    return int(value) if value.is_integer() and abs(value) < _EXACT else round(value, 6)


def mute(findings: Iterable[Finding], profile: Profile, at: datetime | None) -> tuple[Finding, ...]:
    """The findings, sorted; those that the profile knows as noise are marked with the reason."""
    said = []
    for finding in findings:
        reasons = [
            rule.reason
            for rule in profile.muted
            if rule.check == finding.check
            and (at is None or at.date() <= rule.expires)
            and all(fnmatchcase(subject, rule.subject) for subject in finding.subjects)
        ]
        said.append(replace(finding, muted=reasons[0]) if reasons else finding)
    return tuple(sorted(said, key=lambda finding: finding.sort_key))
