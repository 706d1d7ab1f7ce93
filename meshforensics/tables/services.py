"""Services, and the endpoints that the cluster knows behind them."""

from collections.abc import Iterable, Iterator
from typing import Any

from meshforensics.formats.kubernetes import KubernetesObject, mapping, members, text
from meshforensics.tables._declare import Column, Reading, Row, Table
from meshforensics.tables._kubernetes import json_text, number, objects, reads, rows

_SERVICE_LABEL = "kubernetes.io/service-name"
_KINDS = frozenset(["EndpointSlice", "Endpoints"])


def _service(one: KubernetesObject) -> Iterator[Row]:
    changed_at, changed_by = one.changed
    yield (
        one.pointer,
        one.namespace,
        one.name,
        one.object,
        text(one.spec, "type"),
        text(one.spec, "clusterIP"),
        text(one.spec, "externalName"),
        tuple(_port(port) for port in members(one.spec, "ports")),
        json_text(mapping(one.spec, "selector")),
        json_text(one.labels),
        one.created_at,
        changed_at,
        changed_by,
    )


def _port(port: dict[str, Any]) -> str:
    """``http:80/TCP>8080``: name, port, protocol, target; an appProtocol stands in brackets."""
    app = f"[{port['appProtocol']}]" if port.get("appProtocol") else ""
    name = f"{port['name']}:" if port.get("name") else ""
    number_of = port.get("port", "")
    return f"{name}{number_of}/{port.get('protocol', 'TCP')}{app}>{port.get('targetPort', number_of)}"


def _endpoints(reading: Reading) -> Iterable[Row] | None:
    """Rows of the slices, and of Endpoints where a service has no slice in the same item."""
    found = objects(reading, _KINDS)
    if found is None:
        return None
    sliced = {(one.namespace, _service_of(one)) for one in found if one.kind == "EndpointSlice"}
    made: list[Row] = []
    for one in found:
        if one.kind == "EndpointSlice":
            made.extend(_slice(one))
        elif (one.namespace, one.name) not in sliced:
            made.extend(_old(one))
    return made


def _service_of(one: KubernetesObject) -> str:
    return str(one.labels.get(_SERVICE_LABEL) or (one.owner or ("", ""))[1] or one.name)


def _slice(one: KubernetesObject) -> Iterator[Row]:
    ports: list[dict[str, Any]] = members(one.body, "ports") or [{}]
    for index, endpoint in enumerate(members(one.body, "endpoints")):
        conditions = mapping(endpoint, "conditions")
        target = mapping(endpoint, "targetRef")
        for ip in endpoint.get("addresses") or []:
            for port in ports:
                yield (
                    f"{one.pointer}/endpoints/{index}",
                    one.namespace,
                    _service_of(one),
                    _address(str(ip), number(port.get("port"))),
                    text(target, "name") if target.get("kind") == "Pod" else None,
                    text(port, "name"),
                    # unset means ready, by the API's definition of EndpointConditions
                    _flag(conditions.get("ready"), unset=True),
                    _flag(conditions.get("terminating"), unset=False),
                    text(endpoint, "nodeName"),
                    text(endpoint, "zone"),
                    one.object,
                )


def _flag(value: object, *, unset: bool) -> bool:
    return value if isinstance(value, bool) else unset


def _old(one: KubernetesObject) -> Iterator[Row]:
    for index, subset in enumerate(members(one.body, "subsets")):
        for list_name, ready in (("addresses", True), ("notReadyAddresses", False)):
            for at, address in enumerate(members(subset, list_name)):
                target = mapping(address, "targetRef")
                for port in members(subset, "ports") or [{}]:
                    yield (
                        f"{one.pointer}/subsets/{index}/{list_name}/{at}",
                        one.namespace,
                        one.name,
                        _address(str(address.get("ip", "")), number(port.get("port"))),
                        text(target, "name") if target.get("kind") == "Pod" else None,
                        text(port, "name"),
                        ready,
                        None,
                        text(address, "nodeName"),
                        None,
                        one.object,
                    )


def _address(ip: str, port: int | None) -> str:
    """``ip:port``, with brackets around IPv6 as Envoy writes it."""
    host = f"[{ip}]" if ":" in ip else ip
    return host if port is None else f"{host}:{port}"


services = Table(
    id="services",
    about="Services of the cluster.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace.", source="metadata.namespace"),
        Column("name", "category", about="Name.", source="metadata.name"),
        Column("object", "category", about="Service:namespace/name.", source="metadata"),
        Column("type", "category", about="ClusterIP, NodePort, LoadBalancer or ExternalName.", source="spec.type"),
        Column("cluster_ip", "category", about="Virtual address; None for headless.", source="spec.clusterIP"),
        Column("external_name", "category", about="Name that it stands for.", source="spec.externalName"),
        Column("ports", "object", about="Ports as name:port/protocol>target.", source="spec.ports"),
        Column("selector", "str", about="Labels it selects pods by, as JSON.", source="spec.selector"),
        Column("labels", "str", about="Labels as JSON, keys sorted.", source="metadata.labels"),
        Column("created_at", "datetime64[us, UTC]", about="Creation.", source="metadata.creationTimestamp"),
        Column("changed_at", "datetime64[us, UTC]", about="Last change of its spec.", source="managedFields"),
        Column("changed_by", "category", about="Field manager that changed it.", source="managedFields"),
    ),
    reads=reads(rows(["Service"], _service), "kubernetes.services", "foreign.k8s-resources"),
    distinct="object",
    sampled=True,
)

service_endpoints = Table(
    id="service_endpoints",
    about="Endpoints that Kubernetes knows behind each service, one row per address and port.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace.", source="metadata.namespace"),
        Column("service", "category", about="Name of the service.", source=_SERVICE_LABEL),
        Column("address", "category", about="ip:port.", source="endpoints[].addresses, ports"),
        Column("pod", "category", about="Pod behind it.", source="targetRef"),
        Column("port_name", "category", about="Name of the port.", source="ports[].name"),
        Column("ready", "boolean", about="Gets traffic.", source="conditions.ready"),
        Column("terminating", "boolean", about="Its pod is going away.", source="conditions.terminating"),
        Column("node", "category", about="Node of the pod.", source="nodeName"),
        Column("zone", "category", about="Zone of the pod.", source="zone"),
        Column("object", "category", about="The EndpointSlice or Endpoints object.", source="metadata"),
    ),
    reads=reads(
        _endpoints,
        "kubernetes.endpointslices.discovery.k8s.io",
        "kubernetes.endpointslices",
        "kubernetes.endpoints",
        "foreign.k8s-resources",
    ),
    distinct=("namespace", "service", "address", "port_name"),
    sampled=True,
)
