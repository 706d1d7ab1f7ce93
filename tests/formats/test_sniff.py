from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.sniff import Sniffed, kind_of_name, sniff

DATA = Path(__file__).resolve().parent.parent / "data"


def test_the_samples() -> None:
    said = {str(file.relative_to(DATA)): sniff(file.read_bytes()).kind for file in DATA.rglob("*") if file.is_file()}

    wanted = {
        "admin-1.40/certs": "envoy.certs",
        "admin-1.40/listeners": "envoy.listeners",
        "admin-1.40/memory": "envoy.memory",
        "admin-1.40/runtime": "envoy.runtime",
        "admin-1.40/server_info": "envoy.server_info",
        "admin-1.40/stats_prometheus": "envoy.stats_prometheus",
        "envoy-1.40/clusters.txt": "envoy.clusters",
        "envoy-1.40/config_dump.json": "envoy.config_dump",
        "istio-1.31/adsz": "istiod.adsz",
        "istio-1.31/discovery.log": "log.discovery",
        "istio-1.31/istio-proxy.log": "log.istio-proxy",
        "istio-1.31/mesh": "istiod.mesh",
        "istio-1.31/syncz": "istiod.syncz",
        "kubernetes/crs": "kubernetes.objects",
        "kubernetes/events": "foreign.events",
        "kubernetes/k8s-resources": "kubernetes.objects",
        "kubernetes/secrets": "foreign.secrets",
        "kubernetes/top-pods": "foreign.top-pods",
    }
    assert {name: said[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b'{"configs": {"listeners": {}}}', "envoy.config_dump"),
        (b'\xef\xbb\xbf{"configs": []}', "envoy.config_dump"),
        (b'{"@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump"}', "envoy.config_dump"),
        (b'{"default": {"eg": {"configs": []}}}', "envoy.config_dump"),
        (b'[{"name": "x", "filterChains": []}]', "envoy.config_dump"),
        (b'{"certificates": []}', "envoy.certs"),
        (b'{"certificates": [{"identity": "spiffe://x"}]}', "ztunnel.config_dump"),
        (b'{"workloads": [{"workloadIps": []}], "services": []}', "ztunnel.config_dump"),
        (b'{"by_addr": {}, "by_vip": {}}', "ztunnel.config_dump"),
        (b'{"cluster_statuses": []}', "envoy.clusters"),
        (b'{"clusterStatuses": []}', "envoy.clusters"),
        (b'{"listener_statuses": []}', "envoy.listeners"),
        (b'{"allocated": "1", "heap_size": "2"}', "envoy.memory"),
        (b'{"version": "x", "state": "LIVE", "hot_restart_version": "y"}', "envoy.server_info"),
        (b'{"layers": [], "entries": {}}', "envoy.runtime"),
        (b'{"unready_targets_dumps": []}', "envoy.init_dump"),
        (b'{"stats": []}', "envoy.stats"),
        (b'[{"proxy": "a.b", "cluster_id": "K"}]', "istiod.syncz"),
        (b'{"totalClients": 1}', "istiod.adsz"),
        (b'[{"hostname": "a", "ports": []}]', "istiod.registryz"),
        (b'{"a.b.svc": {"b": {"Shards": {}}}}', "istiod.endpointz"),
        (b'[{"svc": "a", "ep": []}]', "istiod.endpointz"),
        (b'{"pilot_eds_no_instances": {}}', "istiod.push_status"),
        (b'{"trustDomain": "x", "rootNamespace": "y"}', "istiod.mesh"),
        (b'{"apiVersion": "v1", "kind": "List", "items": []}', "kubernetes.objects"),
        (b'{"kind": "Pod",\n "apiVersion": "v1"}\n{"kind": "Pod"}', "kubernetes.objects"),
        (b'{"status": "success", "data": {"resultType": "matrix", "result": []}}', "prometheus.range"),
        (b'{"response_code": 200}\n{"response_code": 503}\n', "log.istio-proxy"),
        (b'{"level": "info", "time": "t", "scope": "ads"}\n{"level": "info"}\n', "log.discovery"),
    ],
)
def test_content_tells_the_kind(payload: bytes, kind: str) -> None:
    assert sniff(payload) == Sniffed(kind)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(b" \n\xef\xbb\xbf"[:2], "empty", id="blank"),
        pytest.param(b"404 page not found", "not-the-form", id="error-text"),
        pytest.param(b"<html>", "not-the-form", id="page"),
        pytest.param(b"\x89PNG\r\n\0", "not-the-form", id="binary"),
        pytest.param(b"{}", "not-the-form", id="empty-object"),
        pytest.param(b"[]", "not-the-form", id="empty-list"),
        pytest.param(b"[1, 2]", "not-the-form", id="numbers"),
        pytest.param(b"{'configs': []}", "not-the-form", id="python-not-json"),
        pytest.param(b'{"workloads": [{"addresses": []}], "services": []}', "not-the-form", id="kmesh"),
        pytest.param(b'{"status": "x", "data": {}}', "not-the-form", id="no-answer-of-prometheus"),
        pytest.param(b'{"a": "caf\xe9" 1}', "not-the-form", id="latin-1"),
        pytest.param(b'{"x": [', "truncated", id="cut"),
    ],
)
def test_what_is_nothing_known_says_why(payload: bytes, problem: str) -> None:
    said = sniff(payload)

    assert (said.kind, said.problem) == ("unknown", problem)
    assert said.detail


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (b'{"configs": [', "envoy.config_dump"),
        (b'{"certificates": [', "envoy.certs"),
        (b'{"cluster_statuses": [', "envoy.clusters"),
        (b'{"apiVersion": "v1", "items": [', "kubernetes.objects"),
        (b'[{"cluster_sent": "', "istiod.syncz"),
    ],
)
def test_a_cut_document_is_what_it_began_as(payload: bytes, kind: str) -> None:
    assert (sniff(payload).kind, sniff(payload).problem) == (kind, "truncated")


@pytest.mark.parametrize(
    ("payload", "name", "kind", "problem"),
    [
        pytest.param(b'{"configs": []}', "certs", "envoy.config_dump", "", id="content-first"),
        pytest.param(b"404 page not found", "a/certs", "envoy.certs", "not-the-form", id="what-it-should-be"),
        pytest.param(b"", "config_dump?include_eds", "envoy.config_dump", "empty", id="empty"),
        pytest.param(b"{}", "debug/push_status", "istiod.push_status", "", id="clean-status"),
        pytest.param(b"404 page not found", "push_status", "istiod.push_status", "not-the-form", id="error-status"),
        pytest.param(b"hello\n", "app.log", "log.app", "", id="any-text-is-a-log"),
        pytest.param(b"\0\1", "app.log", "log.app", "not-the-form", id="no-log"),
        pytest.param(b'[{"kind": "x", "apiVersion": "y"}]', "configz", "istiod.configz", "", id="configz"),
        pytest.param(b"2026-11-23T12:00:00Z\tinfo\tx\n", "istio-proxy.log", "log.istio-proxy", "", id="proxy-log"),
        pytest.param(b'[2026-11-23T12:00:00Z] "GET', "waypoint.log", "log.istio-proxy", "", id="lines-that-tell"),
    ],
)
def test_the_name_comes_second(payload: bytes, name: str, kind: str, problem: str) -> None:
    said = sniff(payload, name)

    assert (said.kind, said.problem) == (kind, problem)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("config_dump", "envoy.config_dump"),
        ("a/config_dump?include_eds", "envoy.config_dump"),
        ("a/config_dump.json", "envoy.config_dump"),
        ("stats/prometheus", "envoy.stats_prometheus"),
        ("discovery.log", "log.discovery"),
        ("bug-report.log", "foreign.bug-report-log"),
        ("my app.log", "log.my-app"),
        (".log", ""),
        ("README.md", ""),
        ("", ""),
    ],
)
def test_kind_of_name(name: str, kind: str) -> None:
    assert kind_of_name(name) == kind


@pytest.mark.parametrize(
    ("payload", "subject"),
    [
        pytest.param(b'{"configs":[{"node":{"id":"sidecar~10.0.0.1~web-1.shop~x"}}]}', "shop/web-1", id="sidecar"),
        pytest.param(b'{"configs":[{"node": {"id" : "router~::1~a.b.shop~x"}}]}', "shop/a.b", id="dots-in-a-pod"),
        pytest.param(b"configs:\n- node:\n    id: waypoint~1~wp.ns~x\n", "ns/wp", id="yaml"),
        pytest.param(b'{"configs":[{"node":{"id":"my-envoy"}}]}', None, id="no-istio"),
        pytest.param(b'{"totalClients": 1, "id": "sidecar~1~a.b~c"}', None, id="of-others"),
    ],
)
def test_the_node_id_names_the_proxy(payload: bytes, subject: str | None) -> None:
    assert sniff(payload).subject == subject


@given(st.binary(max_size=300), st.sampled_from(["", "config_dump", "x.log", "push_status"]))
def test_any_bytes_are_something(payload: bytes, name: str) -> None:
    said = sniff(payload, name)

    assert said.kind
    assert said.problem in {"", "empty", "truncated", "not-the-form"}
    assert bool(said.problem) <= bool(said.detail)


@given(at=st.integers(0, 20_000))
def test_a_dump_cut_anywhere_is_a_cut_dump(at: int) -> None:
    whole = (DATA / "envoy-1.40" / "config_dump.json").read_bytes().rstrip()
    said = sniff(whole[:at], "config_dump")

    assert (said.kind, said.problem) == ("envoy.config_dump", "truncated" if at else "empty")


def test_every_file_of_the_corpus_is_something(corpus: Path) -> None:
    said = {str(file.relative_to(corpus)): sniff(file.read_bytes()) for file in corpus.rglob("*") if file.is_file()}

    kinds = {name: each.kind for name, each in said.items()}
    assert len(said) > 1000
    assert {kinds[name] for name in kinds if name.startswith("envoy_config_dump/")} == {"envoy.config_dump"}
    assert {kinds[name] for name in kinds if name.startswith("kmesh/")} == {"unknown"}
    assert {kinds[name] for name in kinds if name.startswith("istio_analyze/") and "mesh" not in name} == {
        "kubernetes.objects"
    }
    assert {kinds[name] for name in kinds if name.startswith("ztunnel/") and name.endswith(".yaml")} == {
        "ztunnel.config_dump"
    }
    assert kinds["access_logs/kiali_waypoint.log"] == "log.istio-proxy"
    assert kinds["envoy_admin/server_info_before_1.9.txt"] == "envoy.server_info"


def test_members_of_real_reports_are_what_their_names_say(corpus: Path) -> None:
    proxies = corpus / "bugreport" / "istio_2023-09" / "bug-report" / "proxies"

    wrong = [
        str(file)
        for file in proxies.rglob("*")
        if file.is_file() and file.name != "netstat" and sniff(file.read_bytes()).kind != kind_of_name(file.name)
    ]
    assert wrong == []
