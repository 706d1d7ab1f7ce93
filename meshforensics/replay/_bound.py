"""``/clusters`` and ``/listeners`` as JSON out of the text that was captured.

Source: Envoy source/server/admin/{clusters,listeners}_handler.cc, api/envoy/admin/v3/clusters.proto, 1.40. Fields stand
in the order in which Envoy writes them; what is zero or empty it does not write.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from meshforensics.formats import clusters as text
from meshforensics.formats.listeners import decode
from meshforensics.model import NotTheFormError
from meshforensics.replay._answer import JSON, Answer, Query, cannot

_SOCKET = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:]*)):(?P<port>\d+)\Z")
_INTERNAL = re.compile(r"envoy://(?P<server_listener_name>[^/]*)/(?P<endpoint_id>.*)\Z")
_COUNTERS = ("cx_connect_fail", "cx_total", "rq_error", "rq_success", "rq_timeout", "rq_total")
_GAUGES = ("cx_active", "rq_active", "rq_pending_active")
_LIMITS = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
_EDS = "eds_health_status"
_FLAGS = {
    "failed_active_health_check": "failed_active_hc",
    "failed_outlier_check": "failed_outlier_check",
    _EDS: "",
    "failed_active_degraded_check": "degraded_active_hc",
    "pending_dynamic_removal": "pending_dynamic_removal",
    "pending_active_hc": "pending_active_hc",
    "excluded_via_immediate_hc_fail": "excluded_via_immediate_hc_fail",
    "active_hc_timeout": "active_hc_timeout",
}
_BY_EDS = {
    "failed_eds_health": "UNHEALTHY",
    "degraded_eds_health": "DEGRADED",
    "eds_status_draining": "DRAINING",
}

Message = dict[str, Any]


@dataclass
class _Cluster:
    """A cluster while its lines come in: facts by whom, and one mapping of facts a host."""

    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    hosts: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def tell(self, whom: str, key: str, value: str) -> None:
        """Take a line; a key that comes again is of another host of the same address."""
        if whom in {"", "default_priority", "high_priority", "outlier"}:
            self.facts.setdefault(whom, {})[key] = value
            return
        if not self.hosts or self.hosts[-1][0] != whom or key in self.hosts[-1][1]:
            self.hosts.append((whom, {}))
        self.hosts[-1][1][key] = value


def clusters(payload: bytes, query: Query) -> Answer:
    """The captured text, or with ``format=json`` its JSON; any other format is text, as in Envoy.

    Raises:
        NoAnswerError: the captured bytes are no such text.
    """
    if query.get("format") != "json" or payload.lstrip()[:1] == b"{":
        return _as_captured(payload)
    found: dict[str, _Cluster] = {}
    try:
        for cluster, whom, key, value in text.told(payload):
            found.setdefault(cluster, _Cluster()).tell(whom, key, value)
    except NotTheFormError as error:
        raise cannot(str(error)) from error
    if payload.strip() and not found:
        raise cannot("the captured bytes are no answer of /clusters")
    return _pretty({"cluster_statuses": [_status(name, each) for name, each in found.items()]})


def listeners(payload: bytes, query: Query) -> Answer:
    """The captured text, or with ``format=json`` its JSON.

    Raises:
        NoAnswerError: the captured bytes are no such text.
    """
    if query.get("format") != "json" or payload.lstrip()[:1] == b"{":
        return _as_captured(payload)
    bound: dict[str, list[Message]] = {}
    try:
        for each in decode(payload).listeners:
            bound.setdefault(each.name, []).append(_address(each.address or ""))
    except NotTheFormError as error:
        raise cannot(str(error)) from error
    return _pretty({"listener_statuses": [_listener(name, addresses) for name, addresses in bound.items()]})


def _listener(name: str, addresses: list[Message]) -> Message:
    more = {"additional_local_addresses": addresses[1:]} if addresses[1:] else {}
    return {"name": name, "local_address": addresses[0], **more}


def _as_captured(payload: bytes) -> Answer:
    return Answer(status=200, body=payload, **({"content_type": JSON} if payload.lstrip()[:1] == b"{" else {}))


def _pretty(document: Message) -> Answer:
    whole = {key: value for key, value in document.items() if value}
    return Answer(status=200, body=msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n", content_type=JSON)


def _status(name: str, cluster: _Cluster) -> Message:
    own, outlier = cluster.facts.get("", {}), cluster.facts.get("outlier", {})
    message = {
        "name": name,
        "added_via_api": own.get("added_via_api") == "true",
        "success_rate_ejection_threshold": _positive(outlier.get("success_rate_ejection_threshold")),
        "host_statuses": [_host(address, facts) for address, facts in cluster.hosts],
        "local_origin_success_rate_ejection_threshold": _positive(
            outlier.get("local_origin_success_rate_ejection_threshold")
        ),
        "circuit_breakers": {"thresholds": list(_thresholds(cluster.facts))},
        "observability_name": own.get("observability_name"),
        "eds_service_name": own.get("eds_service_name"),
    }
    return {key: value for key, value in message.items() if value}


def _thresholds(facts: dict[str, dict[str, str]]) -> Iterator[Message]:
    for whom, said in (("default_priority", {}), ("high_priority", {"priority": "HIGH"})):
        limits = facts.get(whom, {})
        yield {**said, **{key: int(limits[key]) for key in _LIMITS if limits.get(key, "").isdecimal()}}


def _host(address: str, facts: dict[str, str]) -> Message:
    message = {
        "address": _address(address),
        "stats": [_metric(name, facts.get(name, "0")) for name in (*_COUNTERS, *_GAUGES) if name in facts],
        "health_status": _health(facts.get("health_flags", "")),
        "success_rate": _rate(facts.get("success_rate")),
        "weight": _whole(facts.get("weight")),
        "hostname": facts.get("hostname"),
        "priority": _whole(facts.get("priority")),
        "local_origin_success_rate": _rate(facts.get("local_origin_success_rate")),
    }
    locality = {key: facts[key] for key in ("region", "zone", "sub_zone") if facts.get(key)}
    return {**{key: value for key, value in message.items() if value}, "locality": locality}


def _metric(name: str, value: str) -> Message:
    type_ = {"type": "GAUGE"} if name in _GAUGES else {}
    return {**type_, **({"value": value} if value != "0" else {}), "name": name}


def _health(flags: str) -> Message:
    held = set(flags.split("/"))
    eds = next((status for flag, status in _BY_EDS.items() if flag in held), "HEALTHY")
    return {key: eds if key == _EDS else True for key, flag in _FLAGS.items() if key == _EDS or flag in held}


def _address(said: str) -> Message:
    if found := _INTERNAL.match(said):
        return {"envoy_internal_address": {key: value for key, value in found.groupdict().items() if value}}
    if found := _SOCKET.match(said):
        host = found["six"] if found["six"] is not None else found["four"]
        port = int(found["port"][:9])
        return {"socket_address": {"address": host, "port_value": port} if port else {"address": host}}
    return {"pipe": {"path": said}}


def _whole(said: str | None) -> int:
    return int(said) if said and said.isascii() and said.isdecimal() and len(said) < 19 else 0


def _positive(said: str | None) -> Message:
    rate = _rate(said)
    return rate if rate.get("value") else {}


def _rate(said: str | None) -> Message:
    """A success rate in percent; -1 says that there is none."""
    try:
        value = float(said or "-1")
    except ValueError:
        return {}
    if not 0 <= value <= 100:
        return {}
    return {"value": int(value) if value.is_integer() else value}
