"""Endpoints: the hosts that proxies know of each cluster, and what they think of them."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from meshforensics.formats.clusters import Host, decode
from meshforensics.formats.config_dump import Assignment, Listing, Part
from meshforensics.tables._declare import Column, Reading, Row, Stretch, Table
from meshforensics.tables._xds import dump_of

_COUNTERS = ("cx_active", "cx_total", "cx_connect_fail", "rq_total", "rq_error", "rq_active")


def _clusters_rows(reading: Reading) -> Iterable[Row]:
    return [_host(host) for host in reading.decoded(decode).hosts]


def _host(host: Host) -> Row:
    return (
        host.pointer,
        host.cluster,
        host.address,
        host.hostname,
        host.health,
        host.flags,
        host.locality,
        host.weight,
        host.priority,
        *map(host.counters.get, _COUNTERS),
        "clusters",
    )


def _dump_rows(reading: Reading) -> Sequence[Stretch] | None:
    dump = dump_of(reading)
    if not any(section.kind == "endpoint" for section in dump.sections):
        return None
    assigned = reading.shared(_Assigned)
    return [assigned.stretch(part) for part in dump.parts("endpoint")]


class _Assigned:
    """Rows of EDS, made once for all proxies that hold the same assignments in the same places."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, bytes], Stretch] = {}

    def stretch(self, part: Part) -> Stretch:
        """The rows of a part of a dump; like dumps have the same parts."""
        if not isinstance(part, Listing):
            return _stretch(part)
        key = (part.pointer, part.start, part.numbers.tobytes())
        if key not in self._known:
            self._known[key] = _stretch(part)
        return self._known[key]


def _stretch(part: Part) -> Stretch:
    rows = [row for each in part if each.resource is not None for row in _assigned(each.place, each.resource.record)]
    pointers = pa.array([row[0] for row in rows], pa.large_string())
    return Stretch(rows, np.arange(len(rows)), {"pointer": pointers})


def _assigned(place: str, record: object) -> Iterator[Row]:
    if isinstance(record, Assignment):
        for pointer, address, hostname, health, locality, weight, priority in record.endpoints:
            yield (
                place + pointer,
                record.name,
                address,
                hostname,
                health,
                (),
                locality,
                weight,
                priority,
                *(None,) * len(_COUNTERS),
                "config_dump",
            )


endpoints = Table(
    id="endpoints",
    about="Each host of each cluster of each proxy: from /clusters, and what only EDS of the config dump has.",
    of="pod",
    columns=(
        Column("cluster", "category", about="Name of the cluster.", source="/clusters; EDS cluster_name"),
        Column("address", "category", about="Address and port, or path.", source="/clusters; lb_endpoints[].endpoint"),
        Column("hostname", "category", about="Name that the address was resolved from.", source="hostname"),
        Column(
            "health",
            "category",
            about="HEALTHY, DEGRADED, UNHEALTHY or DRAINING; EDS of a dump is coarse.",
            source="health_flags; health_status",
        ),
        Column(
            "flags", "object", about="Why it is not healthy, as tuple; only /clusters tells.", source="health_flags"
        ),
        Column("locality", "category", about="region/zone/sub-zone.", source="locality"),
        Column("weight", "Int64", about="Load balancing weight.", source="load_balancing_weight"),
        Column("priority", "Int64", about="Priority of its locality, 0 first.", source="priority"),
        Column("cx_active", "Int64", unit="connections", about="Open connections.", source="/clusters cx_active"),
        Column("cx_total", "Int64", unit="connections", about="Connections so far.", source="/clusters cx_total"),
        Column(
            "cx_connect_fail",
            "Int64",
            unit="connections",
            about="Connections that failed so far.",
            source="/clusters cx_connect_fail",
        ),
        Column("rq_total", "Int64", unit="requests", about="Requests so far.", source="/clusters rq_total"),
        Column("rq_error", "Int64", unit="requests", about="Requests that failed so far.", source="/clusters rq_error"),
        Column("rq_active", "Int64", unit="requests", about="Requests under way.", source="/clusters rq_active"),
        Column("source", "category", about="clusters, or config_dump.", source="kind of the item"),
    ),
    reads={"envoy.clusters": _clusters_rows, "envoy.config_dump": _dump_rows},
    distinct=("namespace", "pod", "cluster", "address"),
    sampled=True,
)
