"""Hosts under ``--redact-hosts``: what is replaced and still fits together, and what only looks like one."""

import re
from collections import Counter
from pathlib import Path

import pytest

from meshforensics.bundle import BundleWriter
from meshforensics.bundle._hosts import hosts_replaced
from meshforensics.model import Status
from tests.replay.evidence import AT

KEY = b"k" * 32
ALIAS = r"h[0-9a-f]{8}"


def replaced(text: str) -> str:
    return hosts_replaced(text.encode(), KEY, Counter()).decode()


@pytest.mark.parametrize(
    ("text", "form"),
    [
        pytest.param("api.stripe.com", rf"{ALIAS}\.{ALIAS}\.invalid", id="name"),
        pytest.param("https://shop.example.co.uk:8443/x", rf"https://{ALIAS}\.{ALIAS}\.invalid:8443/x", id="url"),
        pytest.param('"*.example.com"', rf'"\*\.{ALIAS}\.invalid"', id="wildcard"),
        pytest.param("outbound|443||api.stripe.com", rf"outbound\|443\|\|{ALIAS}\.{ALIAS}\.invalid", id="cluster"),
        pytest.param(
            "cluster.outbound|443||api.stripe.com.upstream_cx_total: 1",
            rf"cluster\.outbound\|443\|\|{ALIAS}\.{ALIAS}\.invalid\.upstream_cx_total: 1",
            id="statistic",
        ),
        pytest.param("https://www.bahn.de/", rf"https://{ALIAS}\.{ALIAS}\.invalid/", id="country"),
        pytest.param("me@example.com", rf"me@{ALIAS}\.invalid", id="mail"),
        pytest.param("ip-10-0-1-2.ec2.internal", rf"{ALIAS}\.{ALIAS}\.invalid", id="node"),
        pytest.param("hostname: ip-10-0-1-2,", r"hostname: ip-240-\d+-\d+-\d+,", id="node-without-domain"),
        pytest.param(
            "outbound|80||web.shop.svc.corp.example.com",
            rf"outbound\|80\|\|web\.shop\.svc\.{ALIAS}\.{ALIAS}\.invalid",
            id="service-of-another-cluster-domain",
        ),
    ],
)
def test_names_of_hosts_are_replaced(text: str, form: str) -> None:
    said = replaced(text)

    assert re.fullmatch(form, said), said
    assert replaced(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "web.shop.svc.cluster.local:8080",
        "networking.istio.io/v1",
        "web.shop web-1.qa api.dev",
        "cluster.outbound|80||web.org.svc.cluster.local.upstream_cx_total",
        "cluster.outbound|80||web.shop.svc.cluster.local;.upstream_cx_total",
        "sidecar.istio.io/inject",
        "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "docker.io/istio/proxyv2:1.27.1",
        "envoy.filters.http.router envoy.lb request.auth.claims connection.id user.name",
        "envoy.transport_sockets.tls cert-chain.pem config.json values.yaml source/common/conn.cc:12 lib.so install.sh",
        "spiffe://corp.example.com/ns/shop/sa/web",
        '"trustDomain": "corp.example.com"',
        "1.27.1 v1.2.com_x a..com",
    ],
)
def test_what_is_no_host_or_must_fit_certificates_stays(text: str) -> None:
    assert replaced(text) == text


def test_what_is_below_a_domain_still_is() -> None:
    below, domain = replaced("shop.example.com"), replaced("*.example.com").removeprefix("*.")

    assert below.endswith(f".{domain}")
    assert replaced("shop.example.com") == replaced("SHOP.example.com")
    assert replaced("shop.example.com") != replaced("pay.example.com")


def test_a_node_keeps_the_pseudonym_of_its_address() -> None:
    address = replaced("10.0.1.2")

    assert replaced("ip-10-0-1-2") == f"ip-{address.replace('.', '-')}"


def test_subjects_and_paths_name_no_host_either(tmp_path: Path) -> None:
    with BundleWriter(str(tmp_path / "b"), mesh="api.example.com:6443", redact_hosts=True, pseudonym_key=KEY) as writer:
        writer.plan([("envoy.certs", "envoy/10.1.2.3-15000", None)])
        writer.add("envoy.certs", "envoy/10.1.2.3-15000", b"{}", captured_at=AT, time_source="Date")
        writer.miss("envoy.certs", "envoy/edge.example.com-15000", status=Status.ABSENT, cause=None)
        journal = (tmp_path / "b" / "journal.jsonl").read_bytes()
        bundle = writer.seal()

    names = b"".join(str(path).encode() for path in (tmp_path / "b").rglob("*"))
    everything = journal + names + (tmp_path / "b" / "manifest.json").read_bytes()
    assert [host for host in (b"10.1.2.3", b"example.com") if host in everything] == []
    assert all(item.subject.startswith("envoy/") and item.subject.endswith("-15000") for item in bundle.items)
