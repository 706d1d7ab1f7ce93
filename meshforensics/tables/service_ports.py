"""Ports of services: the name or appProtocol of each tells the mesh its protocol."""

from collections.abc import Iterator

from meshforensics.formats.kubernetes import KubernetesObject, members, text
from meshforensics.tables._declare import Column, Row, Table
from meshforensics.tables._kubernetes import json_text, number, reads, rows

_EXPORT_TO = "networking.istio.io/exportTo"


def _ports(one: KubernetesObject) -> Iterator[Row]:
    said = one.annotations.get(_EXPORT_TO)
    for place, port in enumerate(members(one.spec, "ports")):
        yield (
            f"{one.pointer}/spec/ports/{place}",
            one.namespace,
            one.name,
            one.object,
            text(one.spec, "type"),
            text(one.spec, "clusterIP"),
            number(port.get("port")),
            text(port, "name"),
            text(port, "protocol"),
            text(port, "appProtocol"),
            str(port.get("targetPort", port.get("port", ""))),
            json_text(one.spec.get("selector")),
            tuple(each.strip() for each in said.split(",")) if isinstance(said, str) else (),
        )


service_ports = Table(
    id="service_ports",
    about="Ports of the cluster's services, one row each.",
    of="mesh",
    columns=(
        Column("namespace", "category", about="Namespace of the service.", source="metadata.namespace"),
        Column("service", "category", about="Name of the service.", source="metadata.name"),
        Column("object", "category", about="Service:namespace/name.", source="metadata"),
        Column("type", "category", about="ClusterIP, NodePort, LoadBalancer or ExternalName.", source="spec.type"),
        Column("cluster_ip", "category", about="Virtual address; None for headless.", source="spec.clusterIP"),
        Column("port", "Int64", about="Number of the port.", source="ports[].port"),
        Column("port_name", "category", about="Name of the port.", source="ports[].name"),
        Column("protocol", "category", about="TCP, UDP or SCTP; missing for TCP.", source="ports[].protocol"),
        Column("app_protocol", "category", about="Protocol that it says.", source="ports[].appProtocol"),
        Column("target", "category", about="Port of the pods, by number or name.", source="ports[].targetPort"),
        Column("selector", "str", about="Labels it selects pods by, as JSON.", source="spec.selector"),
        Column("export_to", "object", about="Namespaces that see it, as tuple; empty for all.", source=_EXPORT_TO),
    ),
    reads=reads(rows(("Service",), _ports), "kubernetes.services", "foreign.k8s-resources"),
    distinct=("object", "port", "protocol"),
)
