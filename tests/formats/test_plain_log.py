"""Logs of Linkerd's proxies and of CNI plugins."""

from pathlib import Path

import pytest

from meshforensics.formats.plain_log import decode
from meshforensics.model import NotTheFormError

LINKERD = (
    b"[     0.002s]  INFO ThreadId(01) linkerd2_proxy: release 2.210.4\n"
    b"[    61.437s]  WARN ThreadId(01) outbound:server{orig_dst=10.0.0.1:80}: linkerd_stack::failfast: "
    b"Service entering failfast after 10s\n"
    b"[    62.001s]  INFO ThreadId(01) outbound:rescue{client.addr=10.0.0.2:1}: linkerd_app_core::errors::respond: "
    b"HTTP/1.1 request failed error=service in fail-fast\n"
)


def test_lines_of_a_linkerd_proxy_have_no_time_of_day() -> None:
    log = decode(LINKERD)

    assert [(line.level, line.at, line.pointer) for line in log.lines] == [
        ("info", None, "L1"),
        ("warn", None, "L2"),
        ("info", None, "L3"),
    ]
    assert log.lines[2].message == "HTTP/1.1 request failed error=service in fail-fast"


def test_they_say_how_long_the_proxy_runs_and_kubectl_may_have_added_the_time() -> None:
    stamped = b"".join(b"2026-01-01T12:00:00.5Z " + line for line in LINKERD.splitlines(keepends=True))

    assert [line.uptime_s for line in decode(LINKERD).lines] == [0.002, 61.437, 62.001]
    assert {line.at for line in decode(stamped).lines} == {"2026-01-01T12:00:00.5Z"}
    assert [line.message for line in decode(stamped).lines] == [line.message for line in decode(LINKERD).lines]


def test_the_log_of_a_cni_plugin(corpus: Path) -> None:
    (path,) = (corpus / "bugreport/istio_2023-09/bug-report/cni").rglob("*.log")

    log = decode(path.read_bytes())

    assert len(log.lines) > 0
    assert all(line.at for line in log.lines)


@pytest.mark.parametrize("payload", [b"", b"<html>not found</html>\n"], ids=["empty", "a-page"])
def test_what_is_no_log_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)
