"""Phase 2: where the time of requests goes: in the upstream, or in the proxies and between them."""

from typing import Any, NamedTuple

import msgspec
import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, inside, places, text
from meshforensics.tables.calls import workloads_of

_EDGE = ["namespace", "pod", "cluster"]


@check(
    "traffic.slow-beside-upstream",
    phase="traffic",
    plane="service",
    threshold="traffic.proxy-latency",
    by=["cluster"],
    subject="caller",
    observed="beside_ms",
    unit="ms",
    title="Requests spend their time outside of the upstream",
    detail="{caller} to {cluster}: of {whole_ms} ms in the mean {upstream_ms} are the upstream's, {beside_ms} are the "
    "proxy's own: filters, waiting for a connection, retries, or a slow client",
    remediation="Look for waits: connection pools, external authorization, rate limits, body sizes, the proxy's CPU.",
    source="guide, phase 2, step 3; access log DURATION against X-ENVOY-UPSTREAM-SERVICE-TIME",
)
def slow_beside_upstream(
    access_log: pd.DataFrame,
    window: Window,
    profile: Profile,
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Answered requests of the window; a connection that stays open for long is no slow request."""
    seen = inside(access_log, window)
    told = seen[seen["upstream_ms"].notna() & seen["duration_ms"].notna() & (seen["status"].fillna(0) >= 200)]
    beside = (told["duration_ms"] - told["upstream_ms"]).astype("float64").clip(lower=0)
    told = told.assign(beside=beside)
    names = workloads_of(pods, proxies)
    rows: list[dict[str, Any]] = []
    for key, group in told.groupby(_EDGE, observed=True):
        if len(group) < profile.threshold("traffic.proxy-latency").minimum:
            continue
        namespace, pod, cluster = map(str, key)
        said = {
            "caller": names.get((namespace, pod), f"{namespace}/{pod}"),
            "whole_ms": round(float(group["duration_ms"].mean())),
            "upstream_ms": round(float(group["upstream_ms"].mean())),
            "beside_ms": round(float(group["beside"].mean()), 1),
            "evidence": places(group.sort_values("beside", ascending=False, kind="stable")),
        }
        rows.append({"namespace": namespace, "pod": pod, "cluster": cluster, **said})
    columns = [*_EDGE, "caller", "whole_ms", "upstream_ms", "beside_ms", "evidence"]
    return pd.DataFrame(rows, columns=columns)


_DURATION = "istio_request_duration_milliseconds"


@check(
    "traffic.slow-between-proxies",
    phase="traffic",
    plane="service",
    threshold="traffic.proxy-latency",
    by=["destination"],
    subject="destination",
    observed="beside_ms",
    unit="ms",
    title="Requests spend their time between the proxies",
    detail="calls to {destination}: {whole_ms} ms in the mean at the caller, {upstream_ms} ms at the server, so "
    "{beside_ms} ms on the way and in the proxies ({calls:call|s})",
    remediation="Look at the network between them, at connection set-up and retries, and at the proxies' CPU.",
    source="guide, phase 2, step 3; histogram istio_request_duration_milliseconds by reporter, source against "
    "destination",
)
def slow_between_proxies(histograms_over_time: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Both reporters of one workload, where they count about as many calls: else not all callers were captured.

    Between the last two samples of each series, else since its proxy's start.
    """
    sides = _sides(histograms_over_time)
    fewest = profile.threshold("traffic.proxy-latency").minimum
    rows = []
    for destination in sorted({name for name, _ in sides}):
        whole, served = sides.get((destination, "source")), sides.get((destination, "destination"))
        if whole is None or served is None or min(whole.calls, served.calls) < max(1, fewest):
            continue
        if abs(whole.calls - served.calls) <= _ALIKE * max(whole.calls, served.calls):
            rows.append(
                {
                    "destination": destination,
                    "whole_ms": round(whole.mean, 1),
                    "upstream_ms": round(served.mean, 1),
                    "beside_ms": round(whole.mean - served.mean, 1),
                    "calls": whole.calls,
                    "evidence": (*whole.places, *served.places),
                }
            )
    return pd.DataFrame(rows, columns=["destination", "whole_ms", "upstream_ms", "beside_ms", "calls", "evidence"])


_ALIKE = 0.1
"""Share by which the counts of both sides may differ: scrapes of a capture are seconds apart."""


class _Side(NamedTuple):
    """What one reporter tells of the calls to a workload."""

    calls: int
    total_ms: float
    places: tuple[tuple[str, str], ...]

    @property
    def mean(self) -> float:
        """Mean duration."""
        return self.total_ms / self.calls


def _sides(histograms: pd.DataFrame) -> dict[tuple[str, str], _Side]:
    """By destination workload and reporter; calls that the mesh itself failed are left out."""
    own = histograms[(text(histograms["name"]) == _DURATION) & histograms["captured_at"].notna()]
    own = own[own["sum"].notna() & own["count"].notna()]
    own = own.assign(labels=text(own["labels"])).sort_values("captured_at", kind="stable")
    made: dict[tuple[str, str], _Side] = {}
    for key, series in own.groupby(["labels", "namespace", "pod"], observed=True):
        said = _labels(str(key[0]))
        destination, reporter = _destination(said), said.get("reporter", "")
        if destination and reporter in {"source", "destination"} and said.get("response_flags", "-") == "-":
            calls, total = _last_span(series)
            held = made.get((destination, reporter), _Side(0, 0.0, ()))
            shown = (*held.places, *places(series.iloc[-1:]))
            made[destination, reporter] = _Side(held.calls + calls, held.total_ms + total, shown)
    return made


def _last_span(series: pd.DataFrame) -> tuple[int, float]:
    """Calls and their time between the last two samples, or since the start where there is one or it restarted."""
    last = series.iloc[-1]
    calls, total = int(last["count"]), float(last["sum"])
    if len(series) > 1:
        before = series.iloc[-2]
        if int(before["count"]) <= calls and float(before["sum"]) <= total:
            return calls - int(before["count"]), total - float(before["sum"])
    return calls, total


def _labels(said: str) -> dict[str, str]:
    try:
        held = msgspec.json.decode(said) if said else {}
    except msgspec.DecodeError:
        return {}
    return {str(key): str(value) for key, value in held.items()} if isinstance(held, dict) else {}


def _destination(labels: dict[str, str]) -> str:
    name = labels.get("destination_workload", "unknown")
    return "" if name == "unknown" else f"{labels.get('destination_workload_namespace', '')}/{name}"
