"""Tables for ``kubectl get``: the columns that kubectl prints, ages as of the instant that is shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from meshforensics.formats.kubernetes import mapping
from meshforensics.formats.resources import Resource
from meshforensics.replay import _cells as cells
from meshforensics.replay import _pod_cells as pods
from meshforensics.replay._cells import NONE, Cell, field
from meshforensics.replay._made import Body


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        cell: what it says of an object.
        wide: whether ``-o wide`` alone prints it.
    """

    name: str
    cell: Cell
    wide: bool = False


def as_table(
    resource: Resource, bodies: Iterable[Body], metadata: dict[str, Any], at: datetime | None, *, whole: bool = False
) -> dict[str, Any]:
    """The objects as a Table; each row carries the object's metadata, or the `whole` object."""
    columns = _FORMS.get((resource.group, resource.kind), (_NAME, _AGE))
    rows = [
        {"cells": [each.cell(body, at) for each in columns], "object": body if whole else _metadata(body)}
        for body in bodies
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(each) for each in columns],
        "rows": rows,
    }


def _definition(column: Column) -> dict[str, Any]:
    form = "name" if column.name == "Name" else ""
    return {
        "name": column.name,
        "type": "string",
        "format": form,
        "description": "",
        "priority": int(column.wide),
    }


def _metadata(body: Body) -> Body:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": mapping(body, "metadata")}


_NAME, _AGE = Column("Name", cells.name), Column("Age", cells.created)
_IMAGES = (
    Column("Containers", cells.containers("name"), wide=True),
    Column("Images", cells.containers("image"), wide=True),
)
_SELECTOR = Column("Selector", cells.labels("spec.selector.matchLabels"), wide=True)
_HOSTS = Column("Hosts", field("spec.hosts"))
_ISTIO, _SECURITY, _GATEWAY = "networking.istio.io", "security.istio.io", "gateway.networking.k8s.io"

_FORMS: dict[tuple[str, str], tuple[Column, ...]] = {
    ("", "Pod"): (
        _NAME,
        Column("Ready", pods.ready),
        Column("Status", pods.phase),
        Column("Restarts", pods.restarts),
        _AGE,
        Column("IP", field("status.podIP", NONE), wide=True),
        Column("Node", field("spec.nodeName", NONE), wide=True),
    ),
    ("", "Service"): (
        _NAME,
        Column("Type", field("spec.type", "ClusterIP")),
        Column("Cluster-IP", field("spec.clusterIP", NONE)),
        Column("External-IP", cells.external),
        Column("Port(s)", cells.ports),
        _AGE,
        Column("Selector", cells.labels("spec.selector"), wide=True),
    ),
    ("", "Node"): (
        _NAME,
        Column("Status", cells.readiness),
        Column("Roles", cells.roles),
        _AGE,
        Column("Version", field("status.nodeInfo.kubeletVersion")),
        Column("OS-Image", field("status.nodeInfo.osImage"), wide=True),
        Column("Kernel-Version", field("status.nodeInfo.kernelVersion"), wide=True),
    ),
    ("", "Event"): (
        Column("Last Seen", pods.seen),
        Column("Type", field("type")),
        Column("Reason", field("reason")),
        Column("Object", pods.about),
        Column("Message", pods.message),
        Column("First Seen", pods.first_seen, wide=True),
        Column("Count", pods.times, wide=True),
        Column("Name", cells.name, wide=True),
    ),
    ("", "Namespace"): (_NAME, Column("Status", field("status.phase")), _AGE),
    ("", "ConfigMap"): (_NAME, Column("Data", cells.count("data")), _AGE),
    ("", "Secret"): (_NAME, Column("Type", field("type")), Column("Data", cells.count("data")), _AGE),
    ("apps", "Deployment"): (
        _NAME,
        Column("Ready", cells.replicas),
        Column("Up-to-date", cells.number("status.updatedReplicas")),
        Column("Available", cells.number("status.availableReplicas")),
        _AGE,
        *_IMAGES,
        _SELECTOR,
    ),
    ("apps", "ReplicaSet"): (
        _NAME,
        Column("Desired", cells.number("spec.replicas")),
        Column("Current", cells.number("status.replicas")),
        Column("Ready", cells.number("status.readyReplicas")),
        _AGE,
        *_IMAGES,
        _SELECTOR,
    ),
    ("apps", "StatefulSet"): (_NAME, Column("Ready", cells.replicas), _AGE, *_IMAGES),
    ("apps", "DaemonSet"): (
        _NAME,
        Column("Desired", cells.number("status.desiredNumberScheduled")),
        Column("Current", cells.number("status.currentNumberScheduled")),
        Column("Ready", cells.number("status.numberReady")),
        Column("Up-to-date", cells.number("status.updatedNumberScheduled")),
        Column("Available", cells.number("status.numberAvailable")),
        _AGE,
        *_IMAGES,
        _SELECTOR,
    ),
    ("discovery.k8s.io", "EndpointSlice"): (
        _NAME,
        Column("AddressType", field("addressType")),
        Column("Endpoints", cells.addresses),
        _AGE,
    ),
    (_ISTIO, "VirtualService"): (_NAME, Column("Gateways", field("spec.gateways")), _HOSTS, _AGE),
    (_ISTIO, "DestinationRule"): (_NAME, Column("Host", field("spec.host")), _AGE),
    (_ISTIO, "ServiceEntry"): (
        _NAME,
        _HOSTS,
        Column("Location", field("spec.location")),
        Column("Resolution", field("spec.resolution")),
        _AGE,
    ),
    (_ISTIO, "WorkloadEntry"): (_NAME, _AGE, Column("Address", field("spec.address"))),
    (_SECURITY, "PeerAuthentication"): (_NAME, Column("Mode", field("spec.mtls.mode")), _AGE),
    (_SECURITY, "AuthorizationPolicy"): (_NAME, Column("Action", field("spec.action")), _AGE),
    (_GATEWAY, "GatewayClass"): (
        _NAME,
        Column("Controller", field("spec.controllerName")),
        Column("Accepted", cells.condition("Accepted")),
        _AGE,
    ),
    (_GATEWAY, "Gateway"): (
        _NAME,
        Column("Class", field("spec.gatewayClassName")),
        Column("Programmed", cells.condition("Programmed")),
        _AGE,
    ),
    (_GATEWAY, "HTTPRoute"): (_NAME, Column("Hostnames", field("spec.hostnames")), _AGE),
}
