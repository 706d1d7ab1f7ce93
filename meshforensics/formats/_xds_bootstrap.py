"""The bootstrap of a proxy: who it says it is."""

import re

from meshforensics.formats._xds_dump import Bootstrap
from meshforensics.formats._xds_endpoint import locality_of
from meshforensics.formats._xds_message import Message

_NODE = re.compile(r"(sidecar|router|waypoint|ztunnel|ingress|agent)~([^~]*)~([^~]+)~([^~]*)\Z")
_OWNER = re.compile(r"kubernetes://apis/[^/]+(?:/[^/]+)?/namespaces/[^/]+/[^/]+/([^/]+)\Z")


def subject_of(node_id: str | None) -> str | None:
    """``namespace/pod`` of an Istio node id; None for ids of another form.

    >>> subject_of("sidecar~10.0.0.7~web-1.shop~shop.svc.cluster.local")
    'shop/web-1'
    """
    found = _NODE.match(node_id or "")
    if not found:
        return None
    pod, dot, namespace = found.group(3).rpartition(".")
    return f"{namespace}/{pod}" if dot and pod and namespace else None


def role_of(node_id: str | None) -> str | None:
    """What kind of proxy the node id names: sidecar, router, waypoint or ztunnel."""
    found = _NODE.match(node_id or "")
    return found.group(1) if found else None


def read_bootstrap(holder: Message) -> Bootstrap:
    """The bootstrap in a section or in an object with the field `bootstrap`."""
    bootstrap = holder.message("bootstrap")
    node = bootstrap.message("node")
    metadata = node.message("metadata")
    labels = metadata.message("LABELS").value or metadata.message("labels").value
    domain = metadata.text("PROXY_CONFIG", "trustDomain") or metadata.text("TRUST_DOMAIN")
    return Bootstrap(
        pointer=bootstrap.pointer,
        last_updated=holder.text("last_updated"),
        node_id=node.text("id"),
        node_cluster=node.text("cluster"),
        envoy_version=_envoy_version(node),
        istio_version=metadata.text("ISTIO_VERSION") or metadata.text("ISTIO_PROXY_VERSION"),
        cluster_id=metadata.text("CLUSTER_ID"),
        mesh_id=metadata.text("MESH_ID"),
        namespace=metadata.text("NAMESPACE") or metadata.text("CONFIG_NAMESPACE"),
        workload=metadata.text("WORKLOAD_NAME") or _owner(metadata.text("OWNER")),
        service_account=metadata.text("SERVICE_ACCOUNT"),
        node_name=metadata.text("NODE_NAME"),
        revision=_text(labels.get("istio.io/rev")) or metadata.text("ISTIO_REVISION"),
        trust_domain=domain,
        concurrency=metadata.message("PROXY_CONFIG").whole("concurrency"),
        locality=locality_of(node.message("locality")),
        labels={str(key): str(value) for key, value in labels.items()},
        metadata=metadata.value,
    )


def _envoy_version(node: Message) -> str | None:
    """``1.40.0`` from the structured version, or whatever stands in the text that came before it."""
    numbers = node.message("user_agent_build_version", "version")
    if numbers.value:
        return ".".join(str(numbers.whole(part) or 0) for part in ("major_number", "minor_number", "patch"))
    parts = (node.text("build_version") or "").split("/")
    return parts[1] if len(parts) > 2 else None


def _owner(owner: str | None) -> str | None:
    found = _OWNER.match(owner or "")
    return found.group(1) if found else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
