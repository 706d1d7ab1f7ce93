"""Tables are built from items: as of an instant, over time, with provenance and typed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd
import pytest

from meshforensics.model import DeclarationError, Item, NotTheFormError, Status, UnknownNameError, parse_time
from meshforensics.tables import Block, Column, Reading, Row, Table, Tables, build, stretches, typed, visible

NOON = parse_time("2026-11-23T12:00:00Z")


@dataclass(frozen=True)
class Evidence:
    """Items with their bytes."""

    payloads: Mapping[str, bytes]
    items: tuple[Item, ...]

    def read(self, item: Item) -> bytes:
        return self.payloads[item.id]


def _evidence(*captures: tuple[str, datetime | None, bytes]) -> Evidence:
    items = tuple(
        Item(kind="test.number", subject=subject, status=Status.CAPTURED, captured_at=at, path="x")
        for subject, at, _ in captures
    )
    return Evidence({item.id: payload for item, (_, _, payload) in zip(items, captures, strict=True)}, items)


def _decode(payload: bytes) -> int:
    try:
        return int(payload)
    except ValueError as error:
        raise NotTheFormError("no number") from error


def _rows(reading: Reading) -> Iterable[Row]:
    yield ("/0", reading.decoded(_decode))


numbers = Table(
    id="numbers",
    about="Numbers.",
    of="pod",
    columns=(Column("value", "UInt64", about="The number."),),
    reads={"test.*": _rows},
)


def _doubled(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers.assign(value=numbers["value"] * 2)


doubles = Table(
    id="doubles",
    about="Twice.",
    of="pod",
    columns=(Column("value", "UInt64", about="Twice the number."),),
    derives=_doubled,
)


def _tables(evidence: Evidence, at: datetime | None = None) -> Tables:
    return Tables(evidence, {"numbers": numbers, "doubles": doubles}, at)


def test_the_plain_table_is_the_newest_of_each_subject() -> None:
    later = NOON + timedelta(minutes=1)
    tables = _tables(_evidence(("a/p", NOON, b"1"), ("a/p", later, b"2"), ("a/q", NOON, b"3")))

    assert tables.frame("numbers")["value"].tolist() == [2, 3]
    assert tables.over_time("numbers")["value"].tolist() == [1, 2, 3]


def test_what_was_captured_later_is_not_seen() -> None:
    later = NOON + timedelta(minutes=1)
    tables = _tables(_evidence(("a/p", NOON, b"1"), ("a/p", later, b"2")), at=NOON)

    assert tables.frame("numbers")["value"].tolist() == [1]
    assert tables.over_time("numbers")["value"].tolist() == [1]


def test_an_unknown_capture_time_is_seen_and_is_older_than_any_other() -> None:
    tables = _tables(_evidence(("a/p", None, b"1"), ("a/q", None, b"2"), ("a/q", NOON, b"3")), at=NOON)

    assert tables.frame("numbers")["value"].tolist() == [1, 3]


def test_every_row_knows_where_it_came_from() -> None:
    made = _tables(_evidence(("a/p", NOON, b"18446744073709551615"))).frame("numbers")

    assert made.to_dict("records") == [
        {
            "namespace": "a",
            "pod": "p",
            "captured_at": pd.Timestamp(NOON),
            "value": 2**64 - 1,
            "item": "test.number:a/p@2026-11-23T12:00:00Z",
            "pointer": "/0",
        }
    ]


def test_what_is_refused_is_listed_and_the_others_go_on() -> None:
    tables = _tables(_evidence(("a/p", NOON, b"x"), ("a/q", NOON, b"3")))

    assert tables.frame("numbers")["value"].tolist() == [3]
    assert tables.state("numbers").not_decoded == (("test.number:a/p@2026-11-23T12:00:00Z", "no number"),)
    assert tables.state("numbers").reason == ""


@pytest.mark.parametrize(
    ("captures", "at", "reason"),
    [
        pytest.param((), None, "not captured: numbers", id="nothing"),
        pytest.param(
            (("a/p", NOON, b"x"),),
            None,
            "not decoded: numbers (test.number:a/p@2026-11-23T12:00:00Z: no number)",
            id="refused",
        ),
        pytest.param(
            (("a/p", NOON, b"1"),),
            NOON - timedelta(1),
            "captured later than the instant asked for: numbers",
            id="later",
        ),
    ],
)
def test_an_empty_table_says_why(captures: tuple[tuple[str, datetime, bytes], ...], at: datetime, reason: str) -> None:
    tables = _tables(_evidence(*captures), at)

    assert tables.frame("numbers").empty
    assert (tables.state("numbers").reason, tables.state("doubles").reason) == (reason, reason)
    assert list(tables.frame("numbers").columns) == [column.name for column in numbers.all_columns]
    assert str(tables.frame("doubles")["value"].dtype) == "UInt64"


def test_a_derived_table_keeps_the_places() -> None:
    tables = _tables(_evidence(("a/p", NOON, b"4")))

    assert tables.frame("doubles")[["value", "pointer"]].to_numpy().tolist() == [[8, "/0"]]


def test_a_row_of_another_width_is_an_error() -> None:
    with pytest.raises(DeclarationError, match="a row has 1 values, not 2"):
        build(numbers, [Block("a", "p", NOON, "item", stretches([("/0",)]))])


def test_an_unknown_table_lists_the_known() -> None:
    with pytest.raises(UnknownNameError, match="doubles, numbers"):
        _tables(_evidence()).frame("nothing")


def test_derived_times_that_are_all_unknown_keep_their_dtype() -> None:
    frame = pd.DataFrame({"captured_at": [pd.NaT], "namespace": ["a"], "pod": ["p"], "value": [1]})

    made = typed(numbers, frame.assign(item="i", pointer="/0"))

    assert str(made["captured_at"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    ("lists", "seen"),
    [
        pytest.param((("Namespace:shop", 0), ("-", 1)), ["-"], id="the-whole-list-comes-later"),
        pytest.param((("-", 0), ("Namespace:shop", 1)), ["-", "Namespace:shop"], id="the-part-is-newer"),
        pytest.param((("Namespace:shop", 0), ("Selector:app=istiod", 1)), None, id="parts-alone"),
        pytest.param((("Namespace:shop", None), ("-", 1)), ["-"], id="a-part-of-no-known-time"),
    ],
)
def test_a_list_of_a_part_counts_until_the_whole_is_captured(
    lists: tuple[tuple[str, int | None], ...], seen: list[str] | None
) -> None:
    items = [
        Item(
            kind="kubernetes.pods",
            subject=subject,
            status=Status.CAPTURED,
            captured_at=None if minute is None else NOON + timedelta(minutes=minute),
            path="x",
        )
        for subject, minute in lists
    ]

    assert [item.subject for item in visible(items, None, over_time=False)] == (seen or [item[0] for item in lists])


def _pods_and_numbers(*lists: tuple[int, str]) -> Evidence:
    """A number of a/p and one of its log at minute 1, one of a/outside, and lists of all pods."""
    captures = [("test.number", "a/p", 1, b"1"), ("test.number", "a/outside", 1, b"2"), ("log.number", "a/p", 1, b"3")]
    for minute, name in lists:
        listed = json.dumps([{"kind": "Pod", "metadata": {"namespace": "a", "name": name}}]).encode()
        captures.append(("kubernetes.pods", "-", minute, listed))
    items = tuple(
        Item(kind=kind, subject=subject, status=Status.CAPTURED, captured_at=NOON + timedelta(minutes=minute), path="x")
        for kind, subject, minute, _ in captures
    )
    return Evidence({item.id: payload for item, (*_, payload) in zip(items, captures, strict=True)}, items)


@pytest.mark.parametrize(
    ("lists", "minute", "values"),
    [
        pytest.param(((0, "p"), (2, "q")), 3, [2, 3], id="gone-since-only-its-log-counts"),
        pytest.param(((0, "p"), (2, "q")), 1, [1, 2, 3], id="still-there-at-the-instant-asked-for"),
        pytest.param(((0, "p"), (2, "p")), 3, [1, 2, 3], id="still-there"),
        pytest.param(((0, "p"), (1, "q")), 3, [1, 2, 3], id="captured-as-late-as-the-list"),
        pytest.param(((2, "q"),), 3, [1, 2, 3], id="never-listed"),
        pytest.param((), 3, [1, 2, 3], id="no-list"),
    ],
)
def test_the_state_of_a_pod_that_went_away_is_state_no_more(
    lists: tuple[tuple[int, str], ...], minute: int, values: list[int]
) -> None:
    both = replace(numbers, reads={"test.*": _rows, "log.*": _rows})
    tables = Tables(_pods_and_numbers(*lists), {"numbers": both}, NOON + timedelta(minutes=minute))

    assert sorted(tables.frame("numbers")["value"]) == values
    assert sorted(tables.over_time("numbers")["value"]) == [1, 2, 3]


def test_a_table_of_nothing_but_pods_that_are_gone_says_so() -> None:
    evidence = _pods_and_numbers((0, "p"), (2, "q"))
    alone = Evidence(evidence.payloads, tuple(item for item in evidence.items if item.subject != "a/outside"))

    assert _tables(alone).state("numbers").reason == "captured only of pods that are gone: numbers"
