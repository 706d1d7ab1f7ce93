"""A proxy's log holds access lines, messages and rejections; one pass tells them apart."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.proxy_log import Part, Rejected, decode
from meshforensics.model import NotTheFormError

DATA = Path(__file__).parent.parent / "data" / "istio-1.31" / "istio-proxy.log"
REASON = "local rate limit token bucket fill timer must be >= 50ms"


def test_a_real_log() -> None:
    log = decode(DATA.read_bytes())

    assert [line.pointer for line in log.access] == [f"L{n}" for n in (9, 10, 11, 12, 13, 17, 18, 19, 20, 21, 22, 23)]
    assert [(line.pointer, line.level, line.scope) for line in log.lines] == [
        *((f"L{number}", "info", "envoy config") for number in range(1, 6)),
        *((f"L{number}", "warn", "envoy main") for number in (6, 7)),
        ("L8", "info", "envoy config"),
        ("L14", "warn", "envoy upstream"),
        ("L15-L16", "warn", "envoy config"),
    ]
    assert log.rejections == (Rejected("lds", "virtualInbound", REASON, "2026-11-23T18:49:59.296967Z", "L15-L16"),)
    assert log.parts == (Part(False, "L1-L23", 23, "2026-11-23T18:47:44.823Z", "2026-11-23T19:01:45.124Z"),)


def test_access_lines_of_the_previous_container_are_marked() -> None:
    line = '[2026-01-01T12:00:00.123Z] "GET / HTTP/1.1" 200 - 0 1 2 3 "-" "-" "-" "-" "-"\n'

    log = decode(f"{line}========= Previous log =========\n{line}".encode())

    assert [access.pointer for access in log.access] == ["L1", "L3"]
    assert log.previous_access == {"L3"}


def test_json_lines() -> None:
    log = decode(
        b'{"level":"warning","time":"2026-01-01T12:00:00Z","scope":"envoy config","msg":"gRPC config for a/b.Cluster '
        b'rejected: no","thread":"2"}\n'
        b'{"start_time":"2026-01-01T12:00:01Z","response_code":503,"response_flags":"UH"}'
        b"\n"
    )

    assert [(access.status, access.flags) for access in log.access] == [(503, ("UH",))]
    assert log.rejections == (Rejected("cds", None, "no", "2026-01-01T12:00:00Z", "L1"),)


@given(st.binary(max_size=200) | st.builds(lambda end: DATA.read_bytes()[-400:] + end, st.binary(max_size=100)))
def test_any_bytes_are_a_log_or_refused(payload: bytes) -> None:
    try:
        log = decode(payload)
    except NotTheFormError:
        return
    assert log.access or log.lines or b"=====" in payload


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "access", "lines", "rejections"),
    [
        (
            "bugreport/istio_2023-09/bug-report/proxies/hello/helloworld-v2-79d5467d55-245sr/istio-proxy.log",
            0,
            3823,
            0,
        ),
        (
            "bugreport/istio_2023-09/bug-report/proxies/default/productpage-v1-564d4686f-7kdqf/istio-proxy.log",
            0,
            1499,
            0,
        ),
        ("istiod/logs/istio-1.1_sidecar_2018-09_not_ready.log", 81, 183, 32),
        ("istiod/bugreport_log_filter/input/ingress.log", 0, 83, 0),
        ("istiod/bugreport_log_filter/input/format_json.log", 0, 11, 0),
    ],
)
def test_public_logs(corpus: Path, path: str, access: int, lines: int, rejections: int) -> None:
    log = decode((corpus / path).read_bytes())

    assert (len(log.access), len(log.lines), len(log.rejections)) == (access, lines, rejections)


@pytest.mark.shared
def test_a_public_log_with_its_previous_one(corpus: Path) -> None:
    path = "bugreport/istio_2023-09/bug-report/proxies/hello/helloworld-v2-79d5467d55-245sr/istio-proxy.log"

    log = decode((corpus / path).read_bytes())

    assert log.parts == (
        Part(False, "L3-L3772", 3770, "2023-07-31T05:19:09.849204Z", "2023-09-06T08:51:35.671671Z"),
        Part(True, "L3775-L3859", 85, "2023-07-31T04:38:03.796645Z", "2023-07-31T05:03:25.142205Z"),
    )
