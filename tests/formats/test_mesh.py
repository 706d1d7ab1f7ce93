"""The mesh configuration is read from JSON and YAML."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.mesh import MeshConfig, decode
from meshforensics.model import NotTheFormError, TruncatedError

DATA = Path(__file__).parent.parent / "data" / "istio-1.31" / "mesh"

YAML = b"""trustDomain: cluster.local
trustDomainAliases: [old.local]
outboundTrafficPolicy:
  mode: REGISTRY_ONLY
extensionProviders:
- name: envoy
  envoyFileAccessLog: {path: /dev/stdout}
- name: zipkin
"""


def test_json() -> None:
    found = decode(DATA.read_bytes())

    assert found == MeshConfig(
        root_namespace="istio-system",
        trust_domain="mesh.travel",
        trust_domain_aliases=(),
        access_log_file="/dev/stdout",
        access_log_format=None,
        access_log_encoding=None,
        outbound_policy=None,
        auto_mtls=True,
        provider_names=(),
        pointer="",
        body={
            "accessLogFile": "/dev/stdout",
            "rootNamespace": "istio-system",
            "trustDomain": "mesh.travel",
            "enableAutoMtls": True,
        },
    )


def test_yaml() -> None:
    found = decode(YAML)

    assert (found.trust_domain, found.trust_domain_aliases) == ("cluster.local", ("old.local",))
    assert (found.outbound_policy, found.auto_mtls, found.provider_names) == (
        "REGISTRY_ONLY",
        None,
        ("envoy", "zipkin"),
    )


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b"a: b", b"404 page not found\n", b"\xff\xfe"])
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


def test_a_cut_one_is_said_to_be_cut() -> None:
    with pytest.raises(TruncatedError):
        decode(DATA.read_bytes()[:50])


@given(st.binary(max_size=80))
def test_any_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@pytest.mark.shared
def test_public_ones(corpus: Path) -> None:
    found = [decode(path.read_bytes()) for path in sorted(corpus.glob("bugreport/*/bug-report/istio/*/*/debug/mesh"))]

    assert [(each.root_namespace, each.outbound_policy, each.provider_names) for each in found] == [
        ("istio-system", "ALLOW_ANY", ("prometheus", "stackdriver", "envoy"))
    ] * 2
