"""Endpoints of EDS."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from meshforensics.formats._xds_message import Message, address_of


class Endpoint(NamedTuple):
    """One host; `pointer` is relative to the resource, `weight` and `priority` as configured."""

    pointer: str
    address: str | None
    hostname: str | None
    health: str
    locality: str | None
    weight: int | None
    priority: int


class Assignment(msgspec.Struct, frozen=True, gc=False):
    """One `ClusterLoadAssignment`: the hosts of a cluster."""

    name: str | None
    endpoints: tuple[Endpoint, ...]


def read_assignment(resource: Message) -> Assignment:
    """The hosts of a `ClusterLoadAssignment`."""
    return Assignment(name=resource.text("cluster_name"), endpoints=tuple(_endpoints(resource)))


def _endpoints(assignment: Message) -> Iterator[Endpoint]:
    for group in assignment.messages("endpoints"):
        locality = locality_of(group.message("locality"))
        priority = group.whole("priority") or 0
        for member in group.messages("lb_endpoints"):
            endpoint = member.message("endpoint")
            yield Endpoint(
                pointer=member.pointer,
                address=address_of(endpoint.message("address")),
                hostname=endpoint.text("hostname"),
                health=_health(member.text("health_status")),
                locality=locality,
                weight=member.whole("load_balancing_weight"),
                priority=priority,
            )


def _health(status: str | None) -> str:
    """Envoy leaves out the default, UNKNOWN, and routes to such a host as to a healthy one."""
    return "HEALTHY" if status in (None, "UNKNOWN") else str(status)


def locality_of(locality: Message) -> str | None:
    """``region/zone/sub_zone`` as far as it is known."""
    parts = [locality.text(name) or "" for name in ("region", "zone", "sub_zone")]
    return "/".join(parts).rstrip("/") or None
