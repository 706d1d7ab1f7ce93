"""Envoy's /config_dump in every age and shape: each trap, and the records that come out."""

import contextlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshforensics.formats.config_dump import Cluster, ConfigDump, ResourceStore, decode, role_of, subject_of
from meshforensics.model import NotTheFormError, TruncatedError
from tests.conftest import ROOT

REAL = (ROOT / "tests" / "data" / "envoy-1.40" / "config_dump.json").read_bytes()
V3 = "type.googleapis.com/envoy.admin.v3."
V2 = "type.googleapis.com/envoy.admin.v2alpha."


def _kinds(dump: ConfigDump) -> dict[str, int]:
    return dict(Counter(entry.kind for entry in dump.entries()))


def _dump(*sections: dict[str, Any]) -> bytes:
    return json.dumps({"configs": list(sections)}).encode()


def _clusters(*names: str, **more: Any) -> dict[str, Any]:
    listed = [
        {"version_info": "1", "cluster": {"name": name}, "last_updated": "2026-01-01T00:00:00Z"} for name in names
    ]
    return {"@type": f"{V3}ClustersConfigDump", "dynamic_active_clusters": listed, **more}


def _names(dump: ConfigDump, kind: str) -> list[str | None]:
    return [entry.name for entry in dump.entries() if entry.kind == kind]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(_dump(_clusters("a")), {"cluster": ["a"]}, id="a-list"),
        pytest.param(
            json.dumps(
                {"configs": {"clusters": {"@type": f"{V2}ClustersConfigDump", "dynamicActiveClusters": [
                    {"versionInfo": "1", "cluster": {"name": "a"}}]}}}
            ).encode(),
            {"cluster": ["a"]},
            id="a-map-camel-case-v2alpha",
        ),
        pytest.param(
            json.dumps(
                {"configs": {"clusters": {"@type": f"{V2}ClustersConfigDump", "staticClusters": [{"name": "a"}]},
                             "routes": {"@type": f"{V2}RoutesConfigDump", "staticRouteConfigs": [{"name": "r"}]}}}
            ).encode(),
            {"cluster": ["a"], "route": ["r"]},
            id="bare-static-resources-of-2018",
        ),
        pytest.param(
            _dump({"@type": f"{V2}ListenersConfigDump", "dynamic_active_listeners": [{"listener": {"name": "l"}}],
                   "dynamic_warming_listeners": [{"listener": {"name": "w"}}]}),
            {"listener": ["l", "w"]},
            id="old-listener-lists",
        ),
        pytest.param(
            _dump({"@type": f"{V3}ClustersConfigDump", "dynamic_active_clusters": [
                {"cluster": {"@type": "type.googleapis.com/envoy.api.v2.Cluster", "name": "a",
                             "hidden_envoy_deprecated_hosts": []}}]}),
            {"cluster": ["a"]},
            id="v2-resources-in-a-v3-dump",
        ),
        pytest.param(_dump(_clusters("a"), _clusters("b")), {"cluster": ["a", "b"]}, id="a-section-twice"),
        pytest.param(
            _dump({"@type": f"{V3}ScopedRoutesConfigDump"}, _clusters("a")),
            {"cluster": ["a"]},
            id="a-section-without-fields",
        ),
        pytest.param(
            _dump({"@type": f"{V3}ClustersConfigDump.DynamicCluster", "cluster": {"name": "a"}}),
            {"cluster": ["a"]},
            id="elements-of-a-resource-query",
        ),
        pytest.param(json.dumps(_clusters("a")).encode(), {"cluster": ["a"]}, id="one-section-alone"),
        pytest.param(
            json.dumps({"shop": {"web-1": {"configs": [_clusters("a")]}}}).encode(),
            {"cluster": ["a"]},
            id="under-names",
        ),
        pytest.param(
            b"configs:\n- '@type': " + f"{V3}ClustersConfigDump".encode()
            + b"\n  dynamic_active_clusters:\n  - cluster: {name: a}\n",
            {"cluster": ["a"]},
            id="yaml",
        ),
        pytest.param(b"\xef\xbb\xbf" + _dump(_clusters("a")), {"cluster": ["a"]}, id="a-byte-order-mark"),
    ],
)  # fmt: skip
def test_every_shape_gives_its_resources(payload: bytes, expected: dict[str, list[str]]) -> None:
    dump = decode(payload)

    assert {kind: _names(dump, kind) for kind in expected} == expected
    assert _kinds(dump) == {kind: len(names) for kind, names in expected.items()}


def test_sections_of_others_are_named() -> None:
    dump = decode(_dump(_clusters("a"), {"@type": "type.googleapis.com/cilium.NetworkPoliciesConfigDump"}))

    assert [name.rpartition(".")[2] for name in dump.unknown_sections] == ["NetworkPoliciesConfigDump"]


def _nack(**state: Any) -> dict[str, Any]:
    return {"error_state": {"details": "bad fill", "failed_configuration": {"name": "virtualInbound"}, **state}}


def test_a_rejected_new_listener_is_one_rejection_though_envoy_prints_two() -> None:
    listeners = [
        {"name": "virtualInbound", **_nack(last_update_attempt="2026-01-01T00:00:00Z")},
        _nack(),
    ]

    dump = decode(_dump({"@type": f"{V3}ListenersConfigDump", "dynamic_listeners": listeners}))

    assert [(each.name, each.details, each.pointer) for each in dump.rejections] == [
        ("virtualInbound", "bad fill", "/configs/0/dynamic_listeners/0/error_state")
    ]


def test_a_rejected_update_keeps_what_is_served() -> None:
    active = {"version_info": "1", "listener": {"name": "virtualInbound"}, "last_updated": "2026-01-01T00:00:00Z"}
    listeners = [{"name": "virtualInbound", "active_state": active, **_nack()}]

    dump = decode(_dump({"@type": f"{V3}ListenersConfigDump", "dynamic_listeners": listeners}))

    assert [(entry.name, entry.state) for entry in dump.entries("listener")] == [("virtualInbound", "active")]
    assert len(dump.rejections) == 1


def test_a_secret_that_was_not_delivered_is_warming() -> None:
    waiting = {"name": "default", "version_info": "uninitialized", "secret": {"name": "default"}}

    dump = decode(_dump({"@type": f"{V3}SecretsConfigDump", "dynamic_warming_secrets": [waiting]}))

    assert [(entry.name, entry.state) for entry in dump.entries("secret")] == [("default", "warming")]


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"", NotTheFormError),
        (b"404 page not found", NotTheFormError),
        (b"{'configs': [None]}", NotTheFormError),
        (b'{"certificates": []}', NotTheFormError),
        (b"[1, 2]", NotTheFormError),
        (REAL[: len(REAL) // 2], TruncatedError),
        ('{"configs": "caf\xe9"}'.encode("latin-1"), NotTheFormError),
    ],
    ids=["empty", "error-text", "python-repr", "another-page", "a-list", "cut", "latin-1"],
)
def test_what_is_no_dump_is_refused_with_one_sentence(payload: bytes, error: type[NotTheFormError]) -> None:
    with pytest.raises(error) as said:
        decode(payload)

    assert "\n" not in str(said.value)


def test_a_real_dump_is_read_alike_by_the_fast_way_and_the_tolerant_one() -> None:
    compact = json.dumps(json.loads(REAL)).encode()

    fast, tolerant = decode(REAL), decode(compact)

    assert _kinds(fast) == _kinds(tolerant)
    assert [(e.kind, e.pointer, e.name, e.state, e.version_info) for e in fast.entries()] == [
        (e.kind, e.pointer, e.name, e.state, e.version_info) for e in tolerant.entries()
    ]
    assert [e.resource and e.resource.id for e in fast.entries()] == [
        e.resource and e.resource.id for e in tolerant.entries()
    ]


def test_each_distinct_resource_is_decoded_once() -> None:
    store = ResourceStore()
    first, second = store.decode(REAL), store.decode(REAL.replace(b"2026-11-23T18", b"2026-11-23T19"))

    pairs = list(zip(first.entries("cluster"), second.entries("cluster"), strict=True))
    assert all(one.resource is other.resource for one, other in pairs)
    assert all(isinstance(one.resource.record, Cluster) for one, _ in pairs if one.resource)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(REAL) - 1), st.binary(max_size=6), st.integers(0, 40))
def test_a_damaged_dump_is_read_or_refused(at: int, put: bytes, cut: int) -> None:
    payload = REAL[:at] + put + REAL[at + cut :]
    with contextlib.suppress(NotTheFormError):
        decode(payload)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with contextlib.suppress(NotTheFormError):
        decode(payload)


@pytest.mark.parametrize(
    ("node", "subject", "role"),
    [
        ("sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local", "shop/web-1", "sidecar"),
        ("router~10.0.0.1~gw.a.b~b.svc.cluster.local", "b/gw.a", "router"),
        ("test-id", None, None),
    ],
)
def test_the_node_says_who_it_is(node: str, subject: str | None, role: str | None) -> None:
    assert (subject_of(node), role_of(node)) == (subject, role)


@pytest.mark.parametrize(
    ("name", "kinds", "rejections"),
    [
        ("istio-1.0_configs_is_a_map_v2alpha.json", {"listener": 26, "cluster": 39, "route": 12}, 0),
        ("istio-1.2dev_2019-05_productpage_v2alpha.json", {"cluster": 58, "listener": 40, "route": 16}, 0),
        ("istio-1.5dev_2020-01_productpage.json", {"cluster": 58, "listener": 40, "route": 16}, 0),
        ("istio-1.7dev_2020-07_echo.json", {"cluster": 80, "listener": 52, "route": 18}, 0),
        ("istio-1.6dev_compare_secrets.json", {"cluster": 2, "listener": 2, "route": 2, "secret": 4}, 0),
        ("istio_aeraki_dubbo_sidecar.json", {"cluster": 68, "listener": 51, "route": 22, "secret": 2}, 0),
        (
            "istio-1.18_deathstarbench_geo_sidecar_NACK.json",
            {"cluster": 143, "endpoint": 143, "listener": 143, "route": 92, "secret": 2},
            1,
        ),
        ("gloo_2023-05_gateway-proxy.json", {"cluster": 28, "endpoint": 28, "listener": 2, "route": 2}, 1),
        ("istio-1.26_waypoint.yaml", {"cluster": 9, "endpoint": 9, "listener": 5, "route": 6, "secret": 2}, 0),
    ],
)
def test_public_dumps(corpus: Path, name: str, kinds: dict[str, int], rejections: int) -> None:
    dump = decode((corpus / "envoy_config_dump" / name).read_bytes())

    assert (_kinds(dump), len(dump.rejections)) == (kinds, rejections)


def test_every_public_dump_is_read_or_refused(corpus: Path) -> None:
    refused = []
    for path in sorted((corpus / "envoy_config_dump").iterdir()):
        try:
            assert _kinds(decode(path.read_bytes())) or path.name.startswith(("envoygateway", "kuma", "istio"))
        except NotTheFormError:
            refused.append(path.name)

    assert refused == []
