from datetime import UTC, datetime

import pytest

from meshforensics.importers._time import (
    UNKNOWN,
    Captured,
    credible,
    from_archive,
    from_lines,
    from_updates,
    newest,
    read_time,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 23, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        pytest.param(b"2026-11-23T12:00:00.000000Z\tinfo\tx", NOON, id="istio"),
        pytest.param(b'[2026-11-23T12:00:00.000Z] "GET / HTTP/1.1" 200', NOON, id="access-log"),
        pytest.param(b'{"start_time":"2026-11-23T12:00:00.000Z","method":"GET"}', NOON, id="json-access-log"),
        pytest.param(b'{"level":"info","time":"2026-11-23T12:00:00Z","msg":"x"}', NOON, id="json-istiod"),
        pytest.param(b"2026-11-23T14:00:00+02:00 info x", NOON, id="another-zone"),
        pytest.param(b"no time in 2026", None, id="none"),
        pytest.param(b"2026-13-23T12:00:00Z\tinfo\tx", None, id="no-such-month"),
    ],
)
def test_from_lines(line: bytes, at: datetime | None) -> None:
    earlier = b"2020-01-01T00:00:00Z\tinfo\tx\n"

    assert from_lines([line + b"\n"]) == (Captured(at, "evidence") if at else UNKNOWN)
    assert from_lines([earlier, earlier + line + b"\n"]).at == (at or datetime(2020, 1, 1, tzinfo=UTC))


def test_from_updates() -> None:
    dump = b'{"last_updated": "2026-11-23T11:00:00Z"}, {"lastUpdated":"2026-11-23T12:00:00.000Z"}'

    assert from_updates(dump) == Captured(NOON, "evidence")
    assert from_updates(b"last_updated: '2026-11-23T12:00:00Z'") == Captured(NOON, "evidence")
    assert from_updates(b'{"expiration_time": "2036-11-23T12:00:00Z"}') == UNKNOWN


def test_from_archive() -> None:
    assert from_archive([None, NOON, LATER]) == Captured(LATER, "archive-member")
    assert from_archive([None, datetime(1980, 1, 1, tzinfo=UTC)]) == UNKNOWN


@pytest.mark.parametrize(
    ("archive", "evidence", "said"),
    [
        pytest.param(NOON, None, "archive-member", id="nothing-else"),
        pytest.param(NOON, NOON, "archive-member", id="agree"),
        pytest.param(NOON, LATER, "evidence", id="lines-later-than-the-archive"),
        pytest.param(None, NOON, "evidence", id="no-archive"),
    ],
)
def test_an_archive_older_than_its_evidence_is_not_believed(
    archive: datetime | None, evidence: datetime | None, said: str
) -> None:
    assert credible(Captured(archive, "archive-member"), Captured(evidence, "evidence")).source == said


def test_newest() -> None:
    assert newest([UNKNOWN, Captured(NOON, "a"), Captured(LATER, "b")]) == Captured(LATER, "b")
    assert newest([UNKNOWN]) == UNKNOWN


def test_what_is_no_time_is_none() -> None:
    assert read_time(b"soon") is None
    assert read_time(b"\xff") is None
