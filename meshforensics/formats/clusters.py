"""Envoy's ``/clusters``: each upstream host with its health and counters, as text or JSON (Envoy admin.rst).

JSON comes in three forms: ``{"cluster_statuses": [...]}`` of Envoy, the same in camel case with counters in
a map (Envoy 1.8), and the list of statuses that istioctl prints.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._text_lines import lines_pointer, shown, whole_lines
from meshforensics.formats._xds_endpoint import locality_of
from meshforensics.formats._xds_message import Message, address_of
from meshforensics.model import NotTheFormError

_WHAT = "an answer of /clusters"
_LIMIT = re.compile(r"(.+)::(default_priority|high_priority)::(max_\w+)::(.*)\Z")
_HOST = re.compile(r"(.+?)::(\[[^\]]*\]:\d+|envoy://[^/]*/\[[^\]]*\]:\d+|(?:(?!::).)+)::([a-z_]+)::(.*)\Z")
_FACT = re.compile(r"(.+)::(added_via_api|observability_name|eds_service_name)::(.*)\Z")
_OUTLIER = re.compile(r"(.+)::(outlier)::(\w+)::(.*)\Z")
_VERSION = re.compile(r"version_info::|.+::version_info::")
_COUNTERS: Final = (
    "cx_active",
    "cx_total",
    "cx_connect_fail",
    "rq_active",
    "rq_total",
    "rq_success",
    "rq_error",
    "rq_timeout",
)
_FLAGS: Final = {
    "failed_active_health_check": "failed_active_hc",
    "failed_outlier_check": "failed_outlier_check",
    "failed_active_degraded_check": "degraded_active_hc",
    "pending_dynamic_removal": "pending_dynamic_removal",
    "pending_active_hc": "pending_active_hc",
    "excluded_via_immediate_hc_fail": "excluded_via_immediate_hc_fail",
    "active_hc_timeout": "active_hc_timeout",
}
_EDS_FLAGS: Final = {
    "UNHEALTHY": "failed_eds_health",
    "TIMEOUT": "failed_eds_health",
    "DEGRADED": "degraded_eds_health",
    "DRAINING": "eds_status_draining",
}


class Host(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One upstream host of one cluster."""

    pointer: str
    cluster: str
    address: str | None
    hostname: str | None
    health: str
    flags: tuple[str, ...]
    locality: str | None
    weight: int | None
    priority: int
    counters: dict[str, int]


class ClusterStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One cluster; `limits` are those of the default priority."""

    pointer: str
    name: str
    added_via_api: bool | None
    observability_name: str | None
    eds_service_name: str | None
    limits: dict[str, int]
    hosts: tuple[Host, ...]


class Clusters(msgspec.Struct, frozen=True):
    """The answer of ``/clusters``, in its order."""

    clusters: tuple[ClusterStatus, ...]

    @property
    def hosts(self) -> Iterator[Host]:
        """The hosts of all clusters."""
        for cluster in self.clusters:
            yield from cluster.hosts


def decode(payload: bytes) -> Clusters:
    """The clusters and hosts of an answer of ``/clusters``, as text or JSON.

    Raises:
        TruncatedError: JSON that ends in the middle; text is read to its last whole line.
        NotTheFormError: it is something else.
    """
    body = payload.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] in (b"{", b"["):
        return Clusters(tuple(_statuses(decode_json(payload, what=_WHAT))))
    return Clusters(tuple(_of_text(payload)))


def told(payload: bytes) -> Iterator[tuple[str, str, str, str]]:
    r"""Each line of the text as it stands: cluster, whom of it, key and value.

    Whom is an address, ``default_priority`` or ``high_priority``, ``outlier``, or empty for the cluster itself.

    >>> list(told(b"a::[::1]:80::weight::1\na::high_priority::max_retries::3\na::added_via_api::true\n"))[:2]
    [('a', '[::1]:80', 'weight', '1'), ('a', 'high_priority', 'max_retries', '3')]

    Raises:
        NotTheFormError: it is no text.
    """
    for _, line in whole_lines(payload, what=_WHAT):
        fact = _FACT.match(line)
        found = fact or _LIMIT.match(line) or _OUTLIER.match(line) or _HOST.match(line)
        if found:
            cluster, *whom, key, value = found.groups()
            yield cluster, "".join(whom), key, value


def _of_text(payload: bytes) -> list[ClusterStatus]:
    found: dict[str, _Cluster] = {}
    understood = lines = 0
    host: _Host | None = None
    for number, line in whole_lines(payload, what=_WHAT):
        if host is not None and line.startswith(host.prefix):
            key, _, value = line[len(host.prefix) :].partition("::")
            host.values[key], host.last = value, number
        elif line.strip():
            lines += 1
            known, host = _line(line, number, found)
            understood += known
        if lines == 1 and not understood:
            raise NotTheFormError(f"not {_WHAT}: text that begins {shown(line)}")
    if understood * 2 < lines:
        raise NotTheFormError(f"not {_WHAT}: {lines - understood} of {lines} lines have another form")
    return [cluster.made(name) for name, cluster in found.items()]


class _Host:
    """A host while its lines come in."""

    def __init__(self, prefix: str, number: int) -> None:
        self.prefix = prefix
        self.first = self.last = number
        self.values: dict[str, str] = {}


class _Cluster:
    """A cluster while its lines come in."""

    def __init__(self, number: int) -> None:
        self.first = number
        self.facts: dict[str, str] = {}
        self.limits: dict[str, int] = {}
        self.hosts: dict[str, _Host] = {}

    def made(self, name: str) -> ClusterStatus:
        """The record of everything that came in."""
        via_api = self.facts.get("added_via_api")
        return ClusterStatus(
            pointer=f"L{self.first}",
            name=name,
            added_via_api=None if via_api is None else via_api == "true",
            observability_name=self.facts.get("observability_name") or None,
            eds_service_name=self.facts.get("eds_service_name") or None,
            limits=self.limits,
            hosts=tuple(_host(name, address, host) for address, host in self.hosts.items()),
        )


def _line(line: str, number: int, found: dict[str, _Cluster]) -> tuple[bool, _Host | None]:
    """Put one line where it belongs.

    Returns:
        Whether the line has a form of this format, and the host that it is about.
    """
    limit = _LIMIT.match(line)
    if limit:
        name, priority, key, value = limit.groups()
        limits = _cluster(found, name, number).limits
        size = _number(value)
        if priority == "default_priority" and size is not None:
            limits[key] = size
        return True, None
    fact = _FACT.match(line)
    if fact:
        _cluster(found, fact.group(1), number).facts[fact.group(2)] = fact.group(3)
        return True, None
    if _OUTLIER.match(line) or _VERSION.match(line):
        return True, None
    return _host_line(line, number, found)


def _host_line(line: str, number: int, found: dict[str, _Cluster]) -> tuple[bool, _Host | None]:
    match = _HOST.match(line)
    if not match:
        return False, None
    name, address, key, value = match.groups()
    prefix = line[: match.start(3)]
    host = _cluster(found, name, number).hosts.setdefault(address, _Host(prefix, number))
    host.last = number
    host.values[key] = value
    return True, host


def _cluster(found: dict[str, _Cluster], name: str, number: int) -> _Cluster:
    cluster = found.get(name)
    if cluster is None:
        cluster = found[name] = _Cluster(number)
    return cluster


def _host(cluster: str, address: str, host: _Host) -> Host:
    values = host.values
    said = values.get("health_flags", "healthy")
    flags = tuple(sorted(flag for flag in said.split("/") if flag and flag != "healthy"))
    place = "/".join(values.get(key, "") for key in ("region", "zone", "sub_zone")).rstrip("/")
    return Host(
        pointer=lines_pointer(host.first, host.last),
        cluster=cluster,
        address=address,
        hostname=values.get("hostname") or None,
        health=health_of(flags),
        flags=flags,
        locality=place or None,
        weight=_number(values.get("weight")),
        priority=_number(values.get("priority")) or 0,
        counters={key: int(n) for key in _COUNTERS if (n := _number(values.get(key))) is not None},
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 19 else None


def health_of(flags: tuple[str, ...]) -> str:
    """What Envoy does with a host that has these flags (Envoy HostImplBase::coarseHealth)."""
    if "eds_status_draining" in flags:
        return "DRAINING"
    if any(flag.startswith("failed_") for flag in flags):
        return "UNHEALTHY"
    return "DEGRADED" if any(flag.startswith("degraded_") for flag in flags) else "HEALTHY"


def _statuses(document: Any) -> Iterator[ClusterStatus]:
    if isinstance(document, list):
        held = [Message(each, f"/{n}") for n, each in enumerate(document) if isinstance(each, dict)]
        form = len(held) == len(document) > 0 and all(each.has("name") and each.has("host_statuses") for each in held)
    else:
        top = Message(document, "") if isinstance(document, dict) else Message({}, "")
        form = top.has("cluster_statuses")
        held = list(top.messages("cluster_statuses")) if form else []
    if not form:
        raise NotTheFormError(f"not {_WHAT}: JSON without cluster_statuses")
    for status in held:
        name = status.text("name") or ""
        yield ClusterStatus(
            pointer=status.pointer,
            name=name,
            added_via_api=status.flag("added_via_api"),
            observability_name=status.text("observability_name"),
            eds_service_name=status.text("eds_service_name"),
            limits=_limits(status),
            hosts=tuple(_json_host(host, name) for host in status.messages("host_statuses")),
        )


def _limits(status: Message) -> dict[str, int]:
    for limits in status.messages("circuit_breakers", "thresholds"):
        if limits.text("priority") in (None, "DEFAULT"):
            names = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
            return {name: value for name in names if (value := limits.whole(name)) is not None}
    return {}


def _json_host(host: Message, cluster: str) -> Host:
    health = host.message("health_status")
    eds = health.text("eds_health_status") or ""
    flags = {flag for field, flag in _FLAGS.items() if health.flag(field)}
    flags |= {_EDS_FLAGS[eds]} if eds in _EDS_FLAGS else set()
    return Host(
        pointer=host.pointer,
        cluster=cluster,
        address=address_of(host.message("address")),
        hostname=host.text("hostname"),
        health=health_of(tuple(flags)),
        flags=tuple(sorted(flags)),
        locality=locality_of(host.message("locality")),
        weight=host.whole("weight"),
        priority=host.whole("priority") or 0,
        counters=_counters(host),
    )


def _counters(host: Message) -> dict[str, int]:
    """Counters by name; a value of zero is not printed. Envoy 1.8 has a map in place of a list."""
    if isinstance(host.find("stats")[1], dict):
        stats = dict(host.entries("stats"))
    else:
        stats = {stat.text("name") or "": stat for stat in host.messages("stats")}
    return {name: stats[name].whole("value") or 0 for name in _COUNTERS if name in stats}
