"""ztunnel's dump in every shape since 2023."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.place import excerpt
from meshforensics.formats.ztunnel import HeldCertificate, Identity, InPod, Policy, Service, Workload, decode
from meshforensics.model import NotTheFormError, TruncatedError

PEM = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"
NOW = {
    "workloads": [
        {
            "uid": "east//Pod/shop/web-1",
            "name": "web-1",
            "namespace": "shop",
            "workloadIps": ["10.0.0.1"],
            "waypoint": {"destination": "shop/waypoint.shop.svc.cluster.local", "hboneMtlsPort": 15008},
            "protocol": "HBONE",
            "serviceAccount": "web",
            "status": "Healthy",
            "services": ["shop/web.shop.svc.cluster.local"],
        }
    ],
    "services": [
        {
            "name": "web",
            "namespace": "shop",
            "hostname": "web.shop.svc.cluster.local",
            "vips": ["/10.96.0.1"],
            "endpoints": {"east//Pod/shop/web-1": {"workloadUid": "east//Pod/shop/web-1"}},
        }
    ],
    "policies": [{"name": "p", "namespace": "shop", "action": "Allow", "scope": "Namespace", "rules": [[], []]}],
    "certificates": [
        {
            "identity": "spiffe://td/ns/shop/sa/web",
            "state": "Available",
            "certChain": [
                {
                    "pem": base64.b64encode(PEM.encode()).decode(),
                    "serialNumber": "255",
                    "expirationTime": "2026-01-02T00:00:00Z",
                }
            ],
            "rootCerts": [{"pem": PEM, "serialNumber": "x"}],
        },
        {"identity": "spiffe://td/ns/shop/sa/b", "state": "Unavailable: signing gRPC error: no"},
    ],
    "workloadState": {
        "uid-1": {
            "state": "Up",
            "connections": {"inbound": [{}, {}], "outbound": []},
            "info": {"name": "web-1", "namespace": "shop"},
        }
    },
    "version": {"istioVersion": "1.31.0"},
    "config": {"localNode": "worker-1"},
}


def test_the_shape_of_today_in_full() -> None:
    dump = decode(json.dumps(NOW).encode())

    assert dump.workloads == (
        Workload(
            namespace="shop",
            name="web-1",
            addresses=("10.0.0.1",),
            protocol="HBONE",
            service_account="web",
            trust_domain=None,
            workload=None,
            workload_type=None,
            node=None,
            network=None,
            cluster_id=None,
            waypoint="shop/waypoint.shop.svc.cluster.local",
            services=("shop/web.shop.svc.cluster.local",),
            policies=(),
            status="Healthy",
            uid="east//Pod/shop/web-1",
            pointer="/workloads/0",
        ),
    )
    assert dump.services == (
        Service(
            namespace="shop",
            name="web",
            host="web.shop.svc.cluster.local",
            addresses=("/10.96.0.1",),
            endpoints=("east//Pod/shop/web-1",),
            waypoint=None,
            pointer="/services/0",
        ),
    )
    assert dump.policies == (
        Policy(namespace="shop", name="p", action="Allow", scope="Namespace", rules=2, pointer="/policies/0"),
    )
    assert dump.identities == (
        Identity("spiffe://td/ns/shop/sa/web", "Available", None, "/certificates/0"),
        Identity("spiffe://td/ns/shop/sa/b", "Unavailable", "signing gRPC error: no", "/certificates/1"),
    )
    assert dump.pods == (InPod("shop", "web-1", "Up", 2, 0, "/workloadState/uid-1"),)
    assert (dump.version, dump.node) == ("1.31.0", "worker-1")


def test_certificates_in_base64_and_plain() -> None:
    identity = "spiffe://td/ns/shop/sa/web"

    assert decode(json.dumps(NOW).encode()).certificates == (
        HeldCertificate(
            identity=identity,
            part="chain",
            depth=0,
            serial="ff",
            not_before=None,
            not_after="2026-01-02T00:00:00Z",
            pem=PEM,
            pointer="/certificates/0/certChain/0/pem",
        ),
        HeldCertificate(
            identity=identity,
            part="root",
            depth=0,
            serial=None,
            not_before=None,
            not_after=None,
            pem=PEM,
            pointer="/certificates/0/rootCerts/0/pem",
        ),
    )


def test_the_leaf_of_2023_stands_in_ca_cert() -> None:
    held = {"identity": "i", "ca_cert": [{"pem": PEM, "serial_number": "1"}], "cert_chain": [{"pem": PEM}]}

    found = decode(json.dumps({"by_addr": {}, "certificates": [held]}).encode()).certificates

    assert [(each.part, each.depth, each.serial, each.pointer) for each in found] == [
        ("chain", 0, "1", "/certificates/0/ca_cert/0/pem"),
        ("chain", 1, None, "/certificates/0/cert_chain/0/pem"),
    ]


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b'{"configs": [], "workloads": []}', b"NAME  STATUS\nx  y\n", b"\xff"]
)
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


def test_a_cut_one_is_said_to_be_cut() -> None:
    with pytest.raises(TruncatedError):
        decode(json.dumps(NOW).encode()[:-40])


_ANY = st.recursive(
    st.none() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["pem", "state", "endpoints", "waypoint", "certChain", "a/b"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["workloads", "services", "vips", "policies", "certificates", "workloadState"]), _ANY
    )
)
def test_any_values_are_a_dump_or_refused(said: dict[str, object]) -> None:
    payload = json.dumps(said).encode()
    try:
        dump = decode(payload)
    except NotTheFormError:
        return
    places = [each.pointer for each in dump.workloads]
    places += [each.pointer for each in dump.services]
    places += [each.pointer for each in dump.certificates]
    places += [each.pointer for each in dump.pods]
    assert all(excerpt(payload, place).marked for place in places)


@pytest.mark.shared
def test_public_ones(corpus: Path) -> None:
    found = {}
    for path in sorted([*(corpus / "ztunnel").glob("*ztunnel*.json"), *(corpus / "ztunnel").glob("*dump.json")]):
        if "connections" not in path.name:
            dump = decode(path.read_bytes())
            held = (dump.workloads, dump.services, dump.policies, dump.certificates, dump.identities, dump.pods)
            found[path.name] = tuple(map(len, held))

    assert found == {
        "istioctl_head_dump.json": (27, 19, 2, 2, 4, 6),
        "istioctl_ztunnel_dump_2023-03-26.json": (9, 10, 0, 2, 3, 0),
        "istioctl_ztunnel_dump_2023-05-31.json": (9, 7, 0, 2, 4, 0),
        "istioctl_ztunnel_dump_2023-08-09.json": (27, 19, 0, 2, 4, 0),
        "istioctl_ztunnel_dump_2023-11-16.json": (27, 19, 0, 2, 4, 0),
        "istioctl_ztunnel_dump_2024-04-15.json": (27, 19, 0, 2, 4, 0),
        "istioctl_ztunnel_dump_2025-01-19.json": (27, 19, 2, 2, 4, 0),
        "kiali_2024-12-12_ztunnel-config.json": (48, 39, 0, 0, 0, 0),
        "kiali_ztunnel_config.json": (48, 39, 0, 0, 0, 0),
    }


@pytest.mark.shared
def test_public_ones_in_yaml(corpus: Path) -> None:
    found = [decode(path.read_bytes()) for path in sorted((corpus / "ztunnel").glob("*.yaml"))]

    assert [(len(dump.workloads), len(dump.certificates), dump.node) for dump in found] == [
        (28, 2, "envoy-gateway-worker"),
        (28, 2, "envoy-gateway-worker2"),
        (28, 2, "envoy-gateway-worker"),
        (28, 4, "envoy-gateway-worker2"),
    ]
    assert all((each.pem or "").startswith("-----BEGIN CERT") for dump in found for each in dump.certificates)


@pytest.mark.shared
def test_printed_tables_are_refused(corpus: Path) -> None:
    for path in sorted((corpus / "ztunnel").glob("*.txt")):
        with pytest.raises(NotTheFormError):
            decode(path.read_bytes())
