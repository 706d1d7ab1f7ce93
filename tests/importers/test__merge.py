from dataclasses import replace
from datetime import UTC, datetime

from meshforensics.importers._declare import Found, digest_of
from meshforensics.importers._merge import merge
from meshforensics.model import Cause, Status

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def _found(payload: bytes = b"x") -> Found:
    return Found(
        kind="envoy.memory",
        subject="shop/web-1",
        load=lambda: payload,
        digest=digest_of(payload),
        captured_at=NOON,
        time_source="bug-report.log",
    )


def _gone(cause: Cause) -> Found:
    return replace(_found(), load=None, digest="", status=Status.FAILED, cause=cause)


def test_the_same_item_twice_is_one_and_another_is_another() -> None:
    one, again, other = _found(), _found(), _found(b"y")
    later = replace(one, captured_at=NOON.replace(hour=13))

    assert merge([one, again, other, later]) == [one, other, later]


def test_what_one_copy_lacks_and_another_holds_is_not_missing() -> None:
    held = _found()

    assert merge([_gone(Cause.NOT_IN_SOURCE), held, _gone(Cause.TRUNCATED)]) == [held]


def test_a_failure_of_the_capture_stays() -> None:
    held, empty = _found(), _gone(Cause.EMPTY)

    assert merge([held, empty]) == [held, empty]


def test_what_only_one_report_of_a_series_lacks_stays_missing() -> None:
    gone = replace(_gone(Cause.NOT_IN_SOURCE), captured_at=NOON.replace(hour=13))

    assert merge([_found(), gone])[1] is gone


def test_files_that_nobody_knows_are_each_listed() -> None:
    notes = replace(_gone(Cause.NOT_THE_FORM), kind="unknown", subject="-", detail="notes.txt")

    assert len(merge([notes, replace(notes, detail="rss.csv"), notes])) == 2
