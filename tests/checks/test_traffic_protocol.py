"""Protocols that do not match, and names of ports."""

from pathlib import Path

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.traffic_protocol import (
    bad_requests,
    external_name_port,
    port_unnamed,
    protocol_errors,
    protocol_errors_counted,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.calls import NOON, calls_of, logged, risen
from tests.checks.objects import case, expected, named, rows_of_objects


@pytest.mark.parametrize(
    ("family", "found"),
    [("protocol", 1), ("tls-to-plaintext", 1), ("plaintext-to-tls", 1), ("connect-failure", 0)],
)
def test_protocol_errors(family: str, found: int) -> None:
    ports = frame("service_ports", namespace=["shop"], service=["pay"], port=[80], port_name=["http2-api"])

    said = outcome(protocol_errors, at=NOON, calls=calls_of(3, 30, family=family), service_ports=ports)

    assert [(each.severity, each.subjects) for each in said.findings] == [(Severity.WARNING, ("shop/web",))] * found
    assert all("; ports 80 http2-api)" in each.detail for each in said.findings)


def _served(details: str, flags: tuple[str, ...] = (), direction: str = "inbound") -> pd.DataFrame:
    return frame(
        "access_log",
        namespace=["shop"],
        pod=["web-1"],
        at=[NOON],
        details=[details],
        flags=[flags],
        direction=[direction],
    )


@pytest.mark.parametrize(
    ("log", "found"),
    [
        pytest.param(_served("http1.codec_error", ("DPE",)), 1, id="no-http"),
        pytest.param(_served("via_upstream"), 0, id="answered"),
        pytest.param(_served("http1.codec_error", ("DPE",), "outbound"), 0, id="its-own-calls-are-judged-as-calls"),
    ],
)
def test_bad_requests(log: pd.DataFrame, found: int) -> None:
    said = outcome(bad_requests, at=NOON, access_log=log)

    assert [each.severity for each in said.findings] == [Severity.INFO] * found


@pytest.mark.parametrize(("rise", "found"), [(1, 1), (0, 0)])
def test_protocol_errors_counted(rise: int, found: int) -> None:
    rises = risen(("upstream_cx_protocol_error", rise))

    assert len(outcome(protocol_errors_counted, at=NOON, rises_over_time=rises).findings) == found
    assert outcome(protocol_errors_counted, at=NOON, rises_over_time=rises, access_log=logged()).findings == ()


@pytest.mark.parametrize(
    ("name", "app", "kind", "protocol", "unnamed", "external"),
    [
        pytest.param("http", None, "ClusterIP", "TCP", 0, 0, id="protocol"),
        pytest.param("grpc-web-api", None, "ClusterIP", "TCP", 0, 0, id="protocol-and-suffix"),
        pytest.param("api", None, "ClusterIP", "TCP", 1, 0, id="another-word"),
        pytest.param("httpapi", None, "ClusterIP", "TCP", 1, 0, id="without-hyphen"),
        pytest.param(None, None, "ClusterIP", "TCP", 1, 0, id="no-name"),
        pytest.param("api", "kubernetes.io/h2c", "ClusterIP", "TCP", 0, 0, id="app-protocol"),
        pytest.param("dns", None, "ClusterIP", "UDP", 0, 0, id="udp"),
        pytest.param("tcp", None, "ExternalName", "TCP", 0, 1, id="tcp-to-an-external-name"),
        pytest.param("https", None, "ExternalName", "TCP", 0, 0, id="https-to-an-external-name"),
    ],
)
def test_names_of_ports(
    name: str | None, app: str | None, kind: str, protocol: str, unnamed: int, external: int
) -> None:
    ports = frame(
        "service_ports",
        namespace=["shop"],
        service=["pay"],
        object=["Service:shop/pay"],
        port=[80],
        port_name=[name],
        app_protocol=[app],
        type=[kind],
        protocol=[protocol],
    )

    assert len(outcome(port_unnamed, service_ports=ports).findings) == unnamed
    assert len(outcome(external_name_port, service_ports=ports).findings) == external


def test_ports_as_istioctl_analyze_finds_them(corpus: Path) -> None:
    unnamed = rows_of_objects(port_unnamed, case(corpus, "service-no-port-name.yaml"))
    external = rows_of_objects(external_name_port, case(corpus, "incorrect-port-name-external-name-service-type.yaml"))

    assert named(unnamed["object"]) == expected(corpus, "031", "IST0118")
    assert named(external["object"]) == expected(corpus, "078", "IST0150")


PROTOCOLS = (protocol_errors, bad_requests, protocol_errors_counted, port_unnamed)


@pytest.mark.parametrize("check", [*PROTOCOLS, external_name_port])
def test_without_their_tables_they_are_not_evaluated(check: Check) -> None:
    assert (outcome(check, at=NOON).not_evaluated or "").startswith("not captured: ")
