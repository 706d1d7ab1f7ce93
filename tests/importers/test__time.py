from datetime import UTC, datetime

import pytest

from meshforensics.importers._time import (
    UNKNOWN,
    Captured,
    credible,
    from_archive,
    from_evidence,
    from_lines,
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
        pytest.param(b"[2026-11-23 12:00:00.000][17][warning][config] x", NOON, id="envoy-upstream"),
        pytest.param(b"no time in 2026", None, id="none"),
        pytest.param(b"2026-13-23T12:00:00Z\tinfo\tx", None, id="no-such-month"),
    ],
)
def test_from_lines(line: bytes, at: datetime | None) -> None:
    earlier = b"2020-01-01T00:00:00Z\tinfo\tx\n"

    assert from_lines([line + b"\n"]) == (Captured(at, "evidence") if at else UNKNOWN)
    assert from_lines([earlier, earlier + line + b"\n"]).at == (at or datetime(2020, 1, 1, tzinfo=UTC))


def test_the_previous_container_may_come_last() -> None:
    log = b"2026-11-23T12:00:00Z\tinfo\tx\n========= Previous log =========\n2026-11-22T12:00:00Z\tinfo\tx\n"

    assert from_lines([log]).at == NOON


@pytest.mark.parametrize(
    ("kind", "payload", "at"),
    [
        pytest.param("envoy.config_dump", b'{"last_updated": "2026-11-23T12:00:00Z"}', NOON, id="updated"),
        pytest.param("envoy.config_dump", b'{"lastUpdated":"2026-11-23T12:00:00.000Z"}', NOON, id="camel-case"),
        pytest.param("envoy.config_dump", b"last_updated: '2026-11-23T12:00:00Z'", NOON, id="yaml"),
        pytest.param("envoy.config_dump", b'{"last_update_attempt": "2026-11-23T12:00:00Z"}', NOON, id="refused"),
        pytest.param("envoy.config_dump", b'{"version_info": "2026-11-23T12:00:00Z/17"}', NOON, id="pushed"),
        pytest.param("envoy.config_dump", b'{"expiration_time": "2036-11-23T12:00:00Z"}', None, id="to-come"),
        pytest.param("istiod.syncz", b'{"sentTime": "2026-11-23T12:00:00.000000001Z"}', NOON, id="sent"),
        pytest.param("istiod.adsz", b'{"connectedAt": "2026-11-23T12:00:00Z"}', NOON, id="connected"),
        pytest.param("kubernetes.objects", b'lastHeartbeatTime: "2026-11-23T12:00:00Z"\n', NOON, id="node"),
        pytest.param("kubernetes.objects", b'{"lastTimestamp":"2026-11-23T12:00:00Z"}', NOON, id="event"),
        pytest.param("kubernetes.objects", b'{"creationTimestamp":"2026-11-23T12:00:00Z"}', None, id="long-ago"),
        pytest.param("envoy.certs", b'{"valid_from": "2026-11-23T12:00:00Z"}', None, id="certificate"),
        pytest.param("log.ztunnel", b"2026-11-23T12:00:00Z\tinfo\tx\n", NOON, id="log"),
    ],
)
def test_from_evidence(kind: str, payload: bytes, at: datetime | None) -> None:
    assert from_evidence(kind, payload) == (Captured(at, "evidence") if at else UNKNOWN)


def test_from_evidence_takes_the_newest() -> None:
    dump = b'{"last_updated": "2026-11-23T12:00:00Z", "last_update_attempt": "2026-11-23T13:00:00Z"}'

    assert from_evidence("envoy.config_dump", dump).at == LATER


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
