"""Calls end by a route's timeout (UT)."""

from typing import NamedTuple

import pandas as pd

from meshforensics.incidents._declare import Case, Judgement, Proxy, incident
from meshforensics.incidents._evidence import failed_by, pod_addresses, recent_calls
from meshforensics.incidents._families import by_family
from meshforensics.incidents._peers import host_of, routes_to
from meshforensics.tables import ips_of, keys, texts

FAMILIES = ("upstream-timeout", "max-duration")
"""A stream at its greatest duration is a failed call only where its answer had not begun."""

_SLOW = 0.5


@incident("upstream-timeout", about="Calls end by a route's timeout (UT).", precedence=15)
def upstream_timeout(case: Case) -> Judgement:
    """Judged by the calls that callers' proxies logged; what is slow may stand hops behind the timeout."""
    failed = failed_by(case, FAMILIES)
    slow, (objects, limits) = slow_below(case, failed), _limits(case, failed)
    said = (
        f"Timeouts there: {'; '.join(limits)}." if limits else "",
        f"The same requests are slow at {', '.join(slow)}." if slow else "",
    )
    return by_family(
        case,
        FAMILIES,
        what="the route's timeout ends them",
        next_step="Look at the slow workload first, then at timeout and retries.",
        also=(*slow, *objects),
        beside=" ".join(each for each in said if each),
    )


def _limits(case: Case, failed: pd.DataFrame) -> tuple[tuple[str, ...], list[str]]:
    """The objects that set a timeout on routes of these calls, and those timeouts in words."""
    routes = routes_to(case, texts(failed["cluster"]))
    set_by = routes[routes["timeout_s"].fillna(0) > 0]
    rows = zip(texts(set_by["object"]), texts(set_by["cluster"]), set_by["timeout_s"], strict=True)
    said = {f"{timeout:g} s to {host_of(cluster)}{f' ({maker})' if maker else ''}" for maker, cluster, timeout in rows}
    return tuple(sorted(set(texts(set_by["object"])) - {""})), sorted(said)[:3]


def slow_below(case: Case, failed: pd.DataFrame) -> tuple[str, ...]:
    """The hosts on which the requests that timed out spent most of their time, further down than the timeout.

    It follows each request from the pods that did not answer in time, by their addresses: what waits above them
    is slow as well, and not the cause.
    """
    if "request_id" not in failed or failed.empty:
        return ()
    limits = dict(zip(texts(failed["request_id"]), failed["duration_ms"].fillna(0), strict=True))
    limits.pop("", None)
    calls = recent_calls(case)
    same = calls[calls["request_id"].isin(limits)]
    sent = _by_sender(case, same)
    slow: set[str] = set()
    seen: set[Proxy] = set()
    waiting = _servers(case, failed)
    while waiting:
        seen |= waiting
        below = [call for server in waiting for call in sent.get(server, ())]
        slow |= {call.host for call in below if call.host and call.spent >= _SLOW * limits[call.request] > 0}
        waiting = {call.server for call in below if call.server} - seen
    return tuple(sorted(slow))


class _Call(NamedTuple):
    """A call that a pod sent on for a request: where to, and how long it took."""

    request: str
    host: str
    spent: float
    server: Proxy


def _by_sender(case: Case, calls: pd.DataFrame) -> dict[Proxy, list[_Call]]:
    made: dict[Proxy, list[_Call]] = {}
    said = zip(
        keys(calls, "namespace", "pod"),
        keys(calls, "request_id", "host"),
        calls["duration_ms"].fillna(0).astype("float64"),
        _at(case, calls),
        strict=True,
    )
    for sender, (request, host), spent, server in said:
        made.setdefault(sender, []).append(_Call(request, host, spent, server))
    return made


def _servers(case: Case, calls: pd.DataFrame) -> set[Proxy]:
    return {server for server in _at(case, calls) if server}


def _at(case: Case, calls: pd.DataFrame) -> list[Proxy]:
    """The pod that each call was sent to; empty where its address is none's."""
    of = pod_addresses(case)
    return [of.get(ip, ()) for ip in ips_of(calls["upstream_host"])]
