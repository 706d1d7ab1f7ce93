"""The layout of ``istioctl bug-report``: what each member is, and which members a report should hold.

Sources: istio/istio tools/bug-report/pkg/{archive,bugreport,content,cluster} at 1.10 to 1.31.
"""

import re
from collections.abc import Iterable, Iterator

from meshforensics.model import MESH

ADMIN = {
    "config_dump?include_eds": "envoy.config_dump",
    "config_dump": "envoy.config_dump",
    "certs": "envoy.certs",
    "clusters": "envoy.clusters",
    "listeners": "envoy.listeners",
    "memory": "envoy.memory",
    "server_info": "envoy.server_info",
    "runtime": "envoy.runtime",
    "init_dump": "envoy.init_dump",
    "stats": "envoy.stats",
    "stats/prometheus": "envoy.stats_prometheus",
}
"""Files of a proxy, below its folder."""
_DEBUG = frozenset((
    "adsz", "ambientz", "authorizationz", "cachez", "cdsz", "clusterz", "configz", "endpointShardz", "endpointz",
    "inject", "instancesz", "krtz", "mcsz", "mesh", "networkz", "push_status", "registryz", "resourcesz", "syncz",
    "telemetryz", "version",
))  # fmt: skip
"""Pages of istiod: ambientz since 1.24, krtz since 1.25, cdsz until 1.10 or so."""
CLUSTER = frozenset((
    "cluster-context", "crs", "describe-pods", "events", "k8s-cluster-resources", "k8s-resources", "kubectl-version",
    "nodes", "pods", "secrets", "top-pods",
))  # fmt: skip
"""Files of ``cluster/``."""
TOP_FILES = frozenset(("bug-report.log", "versions"))

_OF_EVERY_PROXY = (
    ("config_dump?include_eds", "config_dump"), ("certs",), ("clusters",), ("listeners",), ("memory",),
    ("server_info",), ("stats/prometheus",), ("istio-proxy.log",),
)  # fmt: skip
_OF_EVERY_ZTUNNEL = (("config_dump", "config_dump?include_eds"), ("istio-proxy.log", "ztunnel.log"))
_OF_EVERY_ISTIOD = (
    ("debug/syncz",), ("debug/adsz",), ("debug/configz",), ("debug/registryz",),
    ("debug/endpointz", "debug/endpointShardz"), ("debug/push_status",), ("debug/mesh",), ("discovery.log",),
    ("metrics",),
)  # fmt: skip
_OF_EVERY_REPORT = (
    "bug-report.log", "versions", "cluster/cluster-context", "cluster/crs", "cluster/events", "cluster/k8s-resources",
    "cluster/kubectl-version", "cluster/nodes", "cluster/secrets",
)  # fmt: skip
_SINCE_1_30 = ("cluster/k8s-cluster-resources",)
_VERSION = re.compile(r"Version: ?\"(\d+)\.(\d+)")
_DEEP = {"proxies": 4, "istio": 4, "operator": 4, "cni": 3, "analyze": 2}
_RENAMED = re.compile(r"/config_dump(?:[^A-Za-z0-9/]|%3F)include_eds$", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def canonical(name: str) -> str:
    """A member's name as the tool wrote it: Windows has no ``?`` in file names, and each program writes another.

    >>> canonical("proxies/shop/web-1/config_dump_include_eds")
    'proxies/shop/web-1/config_dump?include_eds'
    """
    return _RENAMED.sub("/config_dump?include_eds", name)


def inside(parts: list[str]) -> bool:
    """Whether a path begins as the members of a report do."""
    top = parts[0] if parts else ""
    if top == "cluster":
        return len(parts) == 2
    if top in TOP_FILES:
        return len(parts) == 1
    return top in _DEEP and len(parts) >= _DEEP[top]


def known(name: str) -> bool:
    """Whether a member is one that only bug-reports have.

    >>> known("proxies/shop/web-1/certs"), known("versions")
    (True, False)
    """
    parts = name.split("/")
    rest = "/".join(parts[3:])
    if not inside(parts):
        return False
    return (
        name == "bug-report.log"
        or (parts[0] == "cluster" and parts[1] in CLUSTER)
        or (parts[0] == "proxies" and (rest in ADMIN or rest.endswith(".log")))
        or (parts[0] == "istio" and (rest in {"discovery.log", "metrics"} or parts[3] == "debug"))
        or name == "analyze/allNamespaces/allNamespaces"
    )


def kind_of(name: str) -> tuple[str, str]:
    """Kind and subject of a member, by its path inside the report.

    >>> kind_of("proxies/shop/web-1/stats/prometheus")
    ('envoy.stats_prometheus', 'shop/web-1')
    >>> kind_of("cluster/events")
    ('foreign.events', '-')
    """
    parts = name.split("/")
    top, rest = parts[0], "/".join(parts[3:])
    if rest and top in {"proxies", "istio", "operator"}:
        kinds = {"proxies": _proxy_kind(parts[2], rest), "istio": _istiod_kind(rest), "operator": "log.operator"}
        return kinds[top], "/".join(parts[1:3])
    if top == "cni" and parts[-1].endswith(".log"):
        return "foreign.cni-log", f"unknown/{parts[1]}"
    if inside(parts) and top == "cluster":
        return f"foreign.{_word(parts[1])}", MESH
    return f"foreign.{'analyze' if top == 'analyze' else _word(name)}", MESH


def is_ztunnel(pod: str) -> bool:
    """Whether a pod is one of the ztunnel DaemonSet, which Istio names so."""
    return pod.startswith("ztunnel")


def _proxy_kind(pod: str, rest: str) -> str:
    if rest == "config_dump" and is_ztunnel(pod):
        return "ztunnel.config_dump"
    if rest in ADMIN:
        return ADMIN[rest]
    if rest.endswith(".log"):
        container = _word(rest.removesuffix(".log"))
        return "log.ztunnel" if is_ztunnel(pod) and container == "istio-proxy" else f"log.{container}"
    return f"foreign.{_word(rest)}"


def _istiod_kind(rest: str) -> str:
    if rest == "metrics":
        return "istiod.metrics"
    if rest.endswith(".log"):
        return f"log.{_word(rest.removesuffix('.log'))}"
    page = rest.removeprefix("debug/")
    return f"istiod.{page}" if page in _DEBUG else f"foreign.{_word(rest)}"


def _word(text: str) -> str:
    return _UNSAFE.sub("-", text).strip("-") or "unnamed"


def age_of(versions: str) -> tuple[int, int] | None:
    r"""Major and minor version of the tool, else of the control plane; None when neither is told.

    >>> age_of('CLI version:\nversion.BuildInfo{Version:"1.31.0"}')
    (1, 31)
    """
    found = [(int(major), int(minor)) for major, minor in _VERSION.findall(versions)]
    return found[0] if found else None


def whole(names: Iterable[str]) -> bool:
    """Whether a report is more than a sample of some proxies, as a series may hold."""
    marks = ("versions", "analyze/", "istio/", "cluster/cluster-context", "cluster/k8s-resources", "cluster/crs")
    return any(name.startswith(marks) for name in names)


def should_hold(age: tuple[int, int] | None, proxies: Iterable[str], istiods: Iterable[str]) -> Iterator[list[str]]:
    """The members that a whole report of that age should hold; of the names in one list, any will do."""
    yield from ([name] for name in _OF_EVERY_REPORT)
    if age is not None and age >= (1, 30):
        yield from ([name] for name in _SINCE_1_30)
    for subject in sorted(proxies):
        wanted = _OF_EVERY_ZTUNNEL if is_ztunnel(subject.partition("/")[2]) else _OF_EVERY_PROXY
        yield from ([f"proxies/{subject}/{name}" for name in names] for names in wanted)
    for subject in sorted(istiods):
        yield from ([f"istio/{subject}/{name}" for name in names] for names in _OF_EVERY_ISTIOD)
