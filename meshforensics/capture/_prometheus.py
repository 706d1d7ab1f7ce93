"""Ranges of Prometheus: what a mesh did in the window before the capture, by a documented list of queries."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

import aiohttp

from meshforensics.alerts import alerts
from meshforensics.capture._again import again
from meshforensics.capture._ask import Ask, Job, Record, Stage
from meshforensics.capture._read import Trouble, read_body
from meshforensics.capture._reply import Outcome, Reply, TroubleError, outcome_of, outcome_of_trouble
from meshforensics.model import UsageError

KIND = "prometheus.range"
_STEPS = 240
_SCRAPE = 15
_LISTS_FIRST = -1
_EDGE = "source_workload_namespace, source_workload, destination_workload_namespace, destination_service_name"


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


def checked(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        UsageError: it is no address of a Prometheus.
    """
    split = urlsplit(url)
    if split.scheme not in {"http", "https"} or not split.hostname or split.query or split.fragment:
        raise UsageError(f"{url!r} is no address of a Prometheus; write it like http://127.0.0.1:9090")
    return url.rstrip("/")


def jobs(url: str, span: Range, session: aiohttp.ClientSession, patience: float) -> Iterator[Job]:
    """A job for each query."""
    for number, query in enumerate((*QUERIES, *ALERTS)):
        yield Job(
            rank=(Stage.TRAFFIC, _LISTS_FIRST, number),
            asks=(Ask(kind=query.kind, subject=query.id),),
            work=_Ask(f"{url}/api/v1/query_range?{urlencode(_asked(query, span))}", query, session, patience),
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

    url: str
    query: Query
    session: aiohttp.ClientSession
    patience: float

    async def __call__(self, record: Record) -> None:
        record(Ask(kind=self.query.kind, subject=self.query.id), await self._outcome())

    async def _outcome(self) -> Outcome:
        try:
            return outcome_of(self.query.kind, await again(self._get))
        except TroubleError as trouble:
            return outcome_of_trouble(trouble)

    async def _get(self) -> Reply:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self.patience, sock_read=self.patience)
        async with (
            Trouble(f"query {self.query.id}"),
            self.session.get(self.url, timeout=timeout, allow_redirects=False) as said,
        ):
            return await read_body(said, self.patience)
