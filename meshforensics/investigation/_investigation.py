"""The public face of a bundle: tables as attributes, findings, hypotheses, the verdict."""

import re
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from meshforensics.bundle import Bundle
from meshforensics.checks import Context, declared_checks, mute, run
from meshforensics.formats.place import Excerpt, excerpt, excerpts
from meshforensics.incidents import Case, judge_all
from meshforensics.model import (
    Evidence,
    Finding,
    Hypothesis,
    Item,
    Listing,
    NotEvaluated,
    NotTheFormError,
    UnknownNameError,
    UsageError,
    Window,
    facts_html,
    format_time,
)
from meshforensics.profile import Profile
from meshforensics.tables import Tables, declared_tables, texts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SHORT = 400
"""Characters of captured bytes that a finding quotes."""


class Investigation:
    """One bundle as of one instant.

    Every declared table is an attribute: ``b.certificates`` is a DataFrame, and ``dir(b)`` lists them.

    Attributes:
        bundle: the evidence.
        at: the instant of every verdict: what was asked for, else the end of the capture; None when the
            capture time is unknown.
        window: the span before `at` that rates are judged over; None when `at` is.
        profile: the thresholds.
    """

    def __init__(
        self, *, bundle: Bundle, profile: Profile, at: datetime | None = None, window: timedelta | None = None
    ) -> None:
        self.bundle = bundle
        self.profile = profile
        _refuse_unknown_mutes(profile)
        self.at = at or bundle.at
        span = window or timedelta(seconds=profile.number("window"))
        self.window = Window(start=self.at - span, end=self.at) if self.at else None
        self._tables = Tables(bundle, declared_tables(), self.at)
        self._items = {item.id: item for item in bundle.items}

    def __getattr__(self, name: str) -> pd.DataFrame:
        """A declared table, by its name."""
        if name.startswith("_") or name not in declared_tables():
            raise AttributeError(f"no table or attribute {name!r}; b.tables lists the tables")
        return self._tables.frame(name)

    def __dir__(self) -> list[str]:
        """What is there, tables too."""
        return sorted({*super().__dir__(), *declared_tables()})

    def frame(self, name: str) -> pd.DataFrame:
        """The table `name` as of `at`.

        Raises:
            UnknownNameError: no such table.
        """
        return self._tables.frame(name)

    def over_time(self, name: str) -> pd.DataFrame:
        """The table `name` from every capture up to `at`: all samples of a series.

        Raises:
            UnknownNameError: no such table.
        """
        return self._tables.over_time(name)

    def reason(self, name: str, *, over_time: bool = False) -> str:
        """Why the table `name` says nothing; empty when it says something."""
        return self._tables.state(name, over_time=over_time).reason

    @property
    def tables(self) -> pd.DataFrame:
        """One row a table: name, about, rows, items (that it was read from), reason (why it is empty)."""
        rows = []
        for name, table in declared_tables().items():
            state = self._tables.state(name)
            rows.append((name, table.about, state.rows, state.items, state.reason))
        return pd.DataFrame(rows, columns=["table", "about", "rows", "items", "reason"]).set_index("table")

    def sql(self, query: str) -> pd.DataFrame:
        """Ask the tables by SQL (DuckDB); a table of that name is a view, nothing else can be read.

        Raises:
            UnknownNameError: the query names a table that nothing declares.
            UsageError: the query does not run.
        """
        import duckdb  # noqa: PLC0415 - a triage asks nothing by SQL, and this takes a tenth of it

        try:
            with duckdb.connect(":memory:", config={"enable_external_access": False}) as connection:
                for name in sorted(_tables_in(query, connection)):
                    connection.register(name, self.frame(name))
                return connection.execute(query).df()
        except duckdb.Error as error:
            raise UsageError(f"the query does not run: {str(error).partition(chr(10))[0]}") from error

    @cached_property
    def _outcomes(self) -> tuple[tuple[Finding, ...], tuple[NotEvaluated, ...]]:
        context = Context(at=self.at, window=self.window, profile=self.profile)
        outcomes = [run(check, self, context, self._unread) for check in declared_checks().values()]
        quoted = self._quoted([each for outcome in outcomes for each in outcome.findings])
        findings = mute(quoted, self.profile, self.at)
        skipped = tuple(outcome.not_evaluated for outcome in outcomes if outcome.not_evaluated)
        return findings, skipped

    @property
    def findings(self) -> Listing[Finding]:
        """What the checks found, worst first."""
        return Listing(self._outcomes[0])

    @property
    def not_evaluated(self) -> tuple[NotEvaluated, ...]:
        """The checks that could not run, and why."""
        return self._outcomes[1]

    @cached_property
    def hypotheses(self) -> Listing[Hypothesis]:
        """Every incident id with its standing, best first."""
        case = Case(
            source=self,
            profile=self.profile,
            at=self.at,
            window=self.window,
            findings=self.findings,
            not_evaluated={each.check: each.reason for each in self.not_evaluated},
        )
        return Listing(judge_all(case))

    @property
    def verdict(self) -> Hypothesis:
        """The best hypothesis; it is a verdict only where its status is supported or possible."""
        return self.hypotheses[0]

    def within(self, namespace: str) -> "Investigation":
        """The same investigation, showing only the findings about one namespace; the verdict stays the mesh's.

        Raises:
            UnknownNameError: nothing of that namespace was captured.
        """
        known = set(texts(self.frame("coverage")["namespace"])) | set(texts(self.frame("pods")["namespace"]))
        if namespace not in known:
            raise UnknownNameError("namespace", namespace, known)
        findings = tuple(
            each
            for each in self.findings
            if any(
                subject.partition(":")[2].startswith(f"{namespace}/") or subject.startswith(f"{namespace}/")
                for subject in each.subjects
            )
        )
        narrowed = copy(self)
        narrowed.__dict__["_outcomes"] = (findings, self.not_evaluated)
        narrowed.__dict__["hypotheses"] = self.hypotheses
        return narrowed

    @property
    def not_captured(self) -> tuple[Item, ...]:
        """The items that were asked for, or should have been there, and are not (wholly)."""
        return tuple(item for item in self.bundle.items if item.status != "captured")

    def evidence(self, of: Finding | Evidence) -> Listing[Excerpt]:
        """The captured bytes that a finding (or one evidence) points at, with the place marked."""
        places = of.evidence if isinstance(of, Finding) else (of,)
        return Listing(self._excerpt(place.item, place.pointer) for place in places)

    def evidence_at(self, item: str, pointer: str) -> Evidence:
        """The evidence at one place of one item."""
        sha256, text = self._quote(item, pointer)
        return Evidence(item=item, sha256=sha256, pointer=pointer, excerpt=text)

    def _unread(self, item: str, _: str) -> tuple[str, str]:
        """In place of `_quote`, for what `_quoted` shall fill in."""
        return self._items[item].sha256 or "", ""

    def _quoted(self, findings: list[Finding]) -> list[Finding]:
        """The findings with what their places say, item by item: each is read once, however many findings show it."""
        wanted: dict[str, dict[str, None]] = {}
        for each in (place for finding in findings for place in finding.evidence):
            wanted.setdefault(each.item, {})[each.pointer] = None
        said = {
            (item, pointer): shown
            for item, pointers in wanted.items()
            for pointer, shown in _shown(self.bundle.read(self._items[item]), pointers).items()
        }
        return [
            replace(
                finding,
                evidence=tuple(replace(each, excerpt=said[each.item, each.pointer]) for each in finding.evidence),
            )
            for finding in findings
        ]

    def _quote(self, item: str, pointer: str) -> tuple[str, str]:
        try:
            said = self._excerpt(item, pointer).quote(SHORT)
        except NotTheFormError as error:
            said = _not_shown(error)
        return self._items[item].sha256 or "", said

    def _excerpt(self, item: str, pointer: str) -> Excerpt:
        held = self._items[item]
        return self._tables.decode(held, _Placer(pointer))

    def _repr_html_(self) -> str:
        facts = (
            ("bundle", self.bundle.id),
            ("as of", format_time(self.at) or "unknown"),
            ("items", f"{len(self.bundle.items)}, {len(self.not_captured)} not captured"),
            ("findings", str(len(self.findings))),
        )
        return facts_html(self.bundle.url, facts) + self.verdict._repr_html_()


def _shown(payload: bytes, pointers: Iterable[str]) -> dict[str, str]:
    """What the places of one item say; one that is not found costs its excerpt, not the triage."""
    try:
        return {pointer: found.quote(SHORT) for pointer, found in excerpts(payload, pointers).items()}
    except NotTheFormError as error:
        return dict.fromkeys(pointers, _not_shown(error))


def _not_shown(error: NotTheFormError) -> str:
    return f"(not shown: {error})"[:SHORT]


class _Placer:
    """A decoder that finds one place; equal for equal pointers, so that places are found once."""

    def __init__(self, pointer: str) -> None:
        self.pointer = pointer

    def __call__(self, payload: bytes) -> Excerpt:
        return excerpt(payload, self.pointer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Placer) and other.pointer == self.pointer

    def __hash__(self) -> int:
        return hash(self.pointer)


def _refuse_unknown_mutes(profile: Profile) -> None:
    """A rule that mutes no check would be noise that nobody sees."""
    for rule in profile.muted:
        if rule.check not in declared_checks():
            raise UnknownNameError(f"check (muted by profile {profile.name})", rule.check, declared_checks())


def _tables_in(query: str, connection: "DuckDBPyConnection") -> set[str]:
    """The tables that a query names. DuckDB cannot tell of a join with USING before its tables are there."""
    import duckdb  # noqa: PLC0415 - as in `sql`

    try:
        return {name.lower() for name in connection.get_table_names(query)}
    except duckdb.BinderException:
        return {name for name in declared_tables() if re.search(rf"\b{name}\b", query, re.IGNORECASE)}


def as_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a frame as plain dictionaries; missing values are None."""
    return [
        {str(k): None if not isinstance(v, (tuple, list)) and pd.isna(v) else v for k, v in row.items()}
        for row in frame.to_dict("records")
    ]
