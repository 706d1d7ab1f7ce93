"""Signatures: known error texts of every log."""

import json

import pandas as pd
import pytest

from meshforensics.investigation import Investigation
from meshforensics.testing import tables_of


def test_texts_of_three_logs(upgrade: Investigation) -> None:
    found = upgrade.frame("signatures").groupby(["log", "signature", "family"], observed=True).size()

    assert found.to_dict() == {
        ("access", "R13", "no-cluster"): 45,
        ("istiod", "X1", "config-rejected"): 1,
        ("proxy", "X2", "config-rejected"): 1,
    }


def test_events_are_lines_of_the_pods_that_they_are_about() -> None:
    event = {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {"name": "e1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1"},
        "reason": "BackOff",
        "message": "Back-off restarting failed container istio-proxy",
        "firstTimestamp": "2026-01-01T11:00:00Z",
        "lastTimestamp": "2026-01-01T12:00:00Z",
        "count": 7,
    }
    payload = json.dumps({"kind": "List", "apiVersion": "v1", "items": [event]}).encode()

    found = tables_of(("kubernetes.events", "-", payload)).frame("signatures")

    columns = ["namespace", "pod", "log", "signature", "family", "fix", "times", "first_at"]
    assert [tuple(row) for row in found[columns].itertuples(index=False)] == [
        ("shop", "web-1", "event", "X35b", "crash-loop", "read its previous log", 7, NOON - pd.Timedelta(hours=1))
    ]


def _linkerd(kind: str, started: str | None, uptime: str = "62.000") -> list[object]:
    """The times of a signature of a log of Linkerd's proxy, beside what Kubernetes says of its container."""
    said = "linkerd_app_core: request failed error=service in fail-fast"
    line = f"[    {uptime}s]  INFO ThreadId(01) {said}\n[     1.000s]  INFO started\n".encode()
    status = {
        "name": "linkerd-proxy",
        "state": {"running": {"startedAt": started}},
        "lastState": {"terminated": {"startedAt": "2026-01-01T10:00:00Z", "exitCode": 1}},
    }
    pod = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "web-1", "namespace": "shop"},
        "spec": {"containers": [{"name": "linkerd-proxy"}]},
        "status": {"containerStatuses": [status] if started else []},
    }
    pods = json.dumps({"kind": "List", "apiVersion": "v1", "items": [pod]}).encode()
    tables = tables_of((kind, "shop/web-1", line), ("kubernetes.pods", "-", pods), captured_at=NOON.to_pydatetime())
    return [None if pd.isna(at) else at for at in tables.frame("signatures")["at"]]


NOON = pd.Timestamp("2026-01-01T12:00:00Z")


@pytest.mark.parametrize(
    ("kind", "started", "at"),
    [
        pytest.param("log.linkerd-proxy", "2026-01-01T11:00:00Z", pd.Timestamp("2026-01-01T11:01:02Z"), id="current"),
        pytest.param(
            "log.linkerd-proxy.previous", "2026-01-01T11:00:00Z", pd.Timestamp("2026-01-01T10:01:02Z"), id="previous"
        ),
        pytest.param("log.linkerd-proxy", "2026-01-01T12:30:00Z", None, id="started-after-the-log-was-taken"),
        pytest.param("log.linkerd-proxy", None, None, id="nobody-tells-when-it-started"),
    ],
)
def test_lines_of_linkerds_proxies_are_timed_by_the_start_of_their_container(
    kind: str, started: str | None, at: pd.Timestamp | None
) -> None:
    assert _linkerd(kind, started) == [at]


@pytest.mark.parametrize(("uptime", "found"), [("999999999.0", 1), ("99999999999999.0", 0)], ids=["long", "no-uptime"])
def test_no_uptime_is_too_long_for_a_time(uptime: str, found: int) -> None:
    assert len(_linkerd("log.linkerd-proxy", "2026-01-01T11:00:00Z", uptime)) == found


def _line(flags: str, details: str = "-", cluster: str = "outbound|80||pay", method: str = "GET /a HTTP/1.1") -> bytes:
    return (
        f'[2026-01-01T12:00:00.000Z] "{method}" 503 {flags} {details} - "-" 0 0 1 - "-" "-" "r" "pay" '
        f'"10.0.0.1:80" {cluster} - 10.0.0.2:80 10.0.0.3:5 - -\n'
    ).encode()


@pytest.mark.parametrize(
    ("line", "known"),
    [
        pytest.param(_line("UH", "no_healthy_upstream"), [("S4", "no_healthy_upstream")], id="by-its-details"),
        pytest.param(_line("UF,URX"), [("S1", "flags UF,URX")], id="by-its-flags"),
        pytest.param(_line("DPE", "http1.unheard_of"), [], id="its-details-are-not-known"),
        pytest.param(_line("-", "via_upstream"), [], id="of-the-application"),
        pytest.param(
            _line("UH", cluster="BlackHoleCluster"), [("R17", "upstream cluster BlackHoleCluster")], id="blocked"
        ),
        pytest.param(
            _line("UF", "upstream_reset_before_response_started{connection_timeout}", "PassthroughCluster"),
            [("R8", "upstream_reset_before_response_started{connection_timeout} upstream cluster PassthroughCluster")],
            id="outside-the-mesh-and-told-why",
        ),
        pytest.param(_line("-", "via_upstream", "PassthroughCluster"), [], id="outside-the-mesh-and-served"),
    ],
)
def test_a_line_of_an_access_log(line: bytes, known: list[tuple[str, str]]) -> None:
    found = tables_of(("log.istio-proxy", "shop/web-1", line)).frame("signatures")

    assert [tuple(each) for each in found[["signature", "text"]].itertuples(index=False)] == known


def test_what_prepares_a_pod_is_read_too() -> None:
    log = b"2026-01-01T12:00:00.000000Z\terror\tvalidation timeout\n"

    found = tables_of(("log.istio-validation", "shop/web-1", log)).frame("signatures")

    assert list(found["signature"]) == ["A1"]
