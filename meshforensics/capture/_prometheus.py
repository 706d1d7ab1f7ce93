"""Ranges of Prometheus: what a mesh did in the window before the capture, by a documented list of queries."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode, urlsplit

import aiohttp

from meshforensics.alerts import alerts
from meshforensics.capture._again import again
from meshforensics.capture._ask import Ask, Job, Record, Stage
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._read import Trouble, read_body
from meshforensics.capture._reply import Outcome, Reply, TroubleError, outcome_of, outcome_of_trouble
from meshforensics.formats.kubernetes import decode, members
from meshforensics.model import Cause, NotTheFormError, Status, UsageError

KIND = "prometheus.range"
_STEPS = 240
_SCRAPE = 15
_LISTS_FIRST = -1
_EDGE = "source_workload_namespace, source_workload, destination_workload_namespace, destination_service_name"

_HELD_BACK = '{container=~"istio-proxy|linkerd-proxy|ztunnel|discovery"}'


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query.

    Attributes:
        id: the subject of its item.
        about: what it tells.
        expression: PromQL; ``{rate}`` is the span that rates are taken over.
    """

    id: str
    about: str
    expression: str
    kind: str = KIND


QUERIES: tuple[Query, ...] = (
    Query(
        id="requests",
        about="Calls a second by edge, code and flags, as the caller saw them.",
        expression=f"sum by ({_EDGE}, response_code, response_flags) "
        '(rate(istio_requests_total{reporter=~"source|waypoint"}[{rate}]))',
    ),
    Query(
        id="latency-p99",
        about="Milliseconds that 99 of 100 calls took, by edge.",
        expression=f"histogram_quantile(0.99, sum by (le, {_EDGE}) "
        '(rate(istio_request_duration_milliseconds_bucket{reporter=~"source|waypoint"}[{rate}])))',
    ),
    Query(
        id="proxy-memory",
        about="Bytes of working set of each proxy.",
        expression='max by (namespace, pod) (container_memory_working_set_bytes{container="istio-proxy"})',
    ),
    Query(
        id="proxy-cpu",
        about="Cores that each proxy used.",
        expression='sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container="istio-proxy"}[{rate}]))',
    ),
    Query(
        id="proxy-restarts",
        about="Restarts of each proxy; a native sidecar's stand in the second metric.",
        expression='max by (namespace, pod) (kube_pod_container_status_restarts_total{container="istio-proxy"} '
        'or kube_pod_init_container_status_restarts_total{container="istio-proxy"})',
    ),
    Query(
        id="throttled",
        about="Share of scheduler periods in which a proxy, or istiod, was throttled for its CPU limit.",
        expression="sum by (namespace, pod, container) "
        f"(rate(container_cpu_cfs_throttled_periods_total{_HELD_BACK}[{{rate}}])) / "
        f"sum by (namespace, pod, container) (rate(container_cpu_cfs_periods_total{_HELD_BACK}[{{rate}}]))",
    ),
    Query(
        id="pushes",
        about="Pushes a second of each istiod, by type.",
        expression="sum by (namespace, pod, type) (rate(pilot_xds_pushes[{rate}]))",
    ),
    Query(
        id="rejects",
        about="Rejected pushes a second, by type.",
        expression="sum by (type) (rate(pilot_total_xds_rejects[{rate}]))",
    ),
    Query(
        id="connected",
        about="Proxies connected to each istiod.",
        expression="sum by (namespace, pod, version) (pilot_xds)",
    ),
    Query(
        id="convergence-p99",
        about="Seconds until 99 of 100 proxies had a change.",
        expression="histogram_quantile(0.99, sum by (le) (rate(pilot_proxy_convergence_time_bucket[{rate}])))",
    ),
)

ALERTS: tuple[Query, ...] = tuple(
    Query(id=each.name, about=each.about, expression=each.expression.strip(), kind="prometheus.alert")
    for each in alerts().values()
)
"""The value of each alert rule, so that one can tell afterwards when it would have fired."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """The window that is asked about.

    Attributes:
        step: seconds between samples: as many as a graph shows, and none finer than a scrape.
    """

    start: datetime
    end: datetime
    step: int


def range_of(end: datetime, window: float) -> Range:
    """The window of that many seconds that ends now.

    >>> from meshforensics.model import parse_time
    >>> range_of(parse_time("2026-01-01T01:00:00Z"), 86400).step
    360
    """
    return Range(start=end - timedelta(seconds=window), end=end, step=max(_SCRAPE, round(window / _STEPS)))


_SERVICE = re.compile(r"(?P<namespace>[a-z0-9-]+)/(?P<name>[a-z0-9.-]+?)(?::(?P<port>[a-z0-9-]+))?")
AUTO = "auto"
"""In place of an address: look for it in the cluster."""
_LABELS = ("app.kubernetes.io/name=prometheus", "app=prometheus", "operated-prometheus=true")
"""How charts and the operator label the Service of a Prometheus, the ones that a mesh's own has first."""


def in_cluster(prometheus: str) -> bool:
    """Whether it is reached through the API server.

    >>> in_cluster("istio-system/prometheus:9090"), in_cluster("http://127.0.0.1:9090"), in_cluster("")
    (True, False, False)
    """
    return prometheus == AUTO or _SERVICE.fullmatch(prometheus) is not None


def namespace_of(service: str) -> str:
    """The namespace of a Service; empty where that is not known yet."""
    return service.partition("/")[0] if service != AUTO else ""


def checked(prometheus: str) -> str:
    """The address without a slash at its end; a Service, or ``auto``, as it is.

    Raises:
        UsageError: it is no address of a Prometheus.
    """
    if in_cluster(prometheus):
        return prometheus
    split = urlsplit(prometheus)
    if split.scheme not in {"http", "https"} or not split.hostname or split.query or split.fragment:
        how = "write it like http://127.0.0.1:9090, monitoring/prometheus:9090, or auto"
        raise UsageError(f"{prometheus!r} is no address of a Prometheus; {how}")
    return prometheus.rstrip("/")


Get = Callable[[str, Mapping[str, str]], Awaitable[Reply]]
"""Asks a path of a Prometheus."""


def by_url(url: str, session: aiohttp.ClientSession, patience: float) -> Get:
    """Ask it by its address."""

    async def get(path: str, query: Mapping[str, str]) -> Reply:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=patience, sock_read=patience)
        asked = session.get(f"{url}{path}?{urlencode(query)}", timeout=timeout, allow_redirects=False)
        async with Trouble("query"), asked as said:
            return await read_body(said, patience)

    return get


def by_service(cluster: Cluster, service: str) -> Get:
    """Ask it through the API server, which passes a GET on to a Service."""
    known = [service] if service != AUTO else []
    looking = asyncio.Lock()

    async def get(path: str, query: Mapping[str, str]) -> Reply:
        async with looking:
            if not known:
                known.append(await _found(cluster))
        return await cluster.get(f"{proxy_path(known[0])}{path}", query)

    return get


def proxy_path(service: str) -> str:
    """The path under which the API server passes requests on.

    >>> proxy_path("istio-system/prometheus:9090")
    '/api/v1/namespaces/istio-system/services/prometheus:9090/proxy'
    """
    namespace, _, name = service.partition("/")
    return f"/api/v1/namespaces/{namespace}/services/{name}/proxy"


async def _found(cluster: Cluster) -> str:
    """The Service of a Prometheus that the cluster has.

    Raises:
        TroubleError: none is labelled as such, or Services may not be listed.
    """
    for label in _LABELS:
        reply = await again(partial(cluster.get, "/api/v1/services", {"labelSelector": label}))
        if reply.status != 200 or reply.broken:
            said = outcome_of("kubernetes.services", reply)
            raise TroubleError(said.cause or Cause.NOT_IN_SOURCE, f"looking for a Prometheus: {said.detail}")
        services = sorted(_services(reply.body), key=lambda name: (not name.startswith("istio-system/"), name))
        if services:
            return services[0]
    raise TroubleError(Cause.NOT_IN_SOURCE, f"no Service is labelled {' or '.join(_LABELS)}; say which it is")


def _services(body: bytes) -> Iterator[str]:
    """Services with the port on which they serve HTTP, as ``namespace/name:port``."""
    for one in decode(body):
        ports = members(one.spec, "ports")
        named = [port for port in ports if str(port.get("name", "")).startswith(("http", "web"))]
        for port in (named or ports)[:1]:
            yield f"{one.namespace}/{one.name}:{port.get('port')}"


def jobs(get: Get, span: Range) -> Iterator[Job]:
    """A job for each query."""
    for number, query in enumerate((*QUERIES, *ALERTS)):
        yield Job(
            rank=(Stage.TRAFFIC, _LISTS_FIRST, number),
            asks=(Ask(kind=query.kind, subject=query.id),),
            work=_Ask(get, query, _asked(query, span)),
        )


def _asked(query: Query, span: Range) -> dict[str, str]:
    rate = f"{max(4 * _SCRAPE, span.step)}s"
    return {
        "query": query.expression.replace("{rate}", rate),
        "start": f"{span.start.timestamp():.3f}",
        "end": f"{span.end.timestamp():.3f}",
        "step": str(span.step),
    }


@dataclass(frozen=True)
class _Ask:
    """Asks one query."""

    get: Get
    query: Query
    asked: Mapping[str, str]

    async def __call__(self, record: Record) -> None:
        record(Ask(kind=self.query.kind, subject=self.query.id), await self._outcome())

    async def _outcome(self) -> Outcome:
        try:
            return outcome_of(self.query.kind, await again(lambda: self.get("/api/v1/query_range", self.asked)))
        except TroubleError as trouble:
            return outcome_of_trouble(trouble)
        except NotTheFormError as error:
            return Outcome(status=Status.FAILED, cause=Cause.NOT_THE_FORM, detail=f"looking for a Prometheus: {error}")
