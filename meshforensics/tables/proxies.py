"""Proxies: version, state and identity of each, from /server_info, else from its dump."""

from collections.abc import Iterable

from meshforensics.formats import server_info, ztunnel
from meshforensics.formats.config_dump import Bootstrap, ResourceStore, role_of
from meshforensics.tables._declare import Column, Reading, Row, Table

_UNTOLD: Row = (None,) * 9


def _from_server_info(reading: Reading) -> Iterable[Row]:
    """The text form of old Envoys tells version and state only."""
    said = reading.decoded(server_info.decode)
    node = said.node
    concurrency = said.concurrency if said.concurrency is not None else (node.concurrency if node else None)
    build = said.build or (node.envoy_version if node else None)
    yield ("", build, said.state, said.uptime_s, concurrency, *(_identity(node) if node else _UNTOLD))


def _from_dump(reading: Reading) -> Iterable[Row] | None:
    node = reading.decoded(reading.shared(ResourceStore).decode).bootstrap
    if node is None:
        return None
    return [(node.pointer, node.envoy_version, None, None, node.concurrency, *_identity(node))]


def _identity(node: Bootstrap) -> Row:
    return (
        node.istio_version,
        role_of(node.node_id),
        node.revision,
        node.node_name,
        node.cluster_id,
        node.workload,
        node.trust_domain,
        node.service_account,
        _address(node.node_id),
    )


def _from_ztunnel(reading: Reading) -> Iterable[Row]:
    dump = reading.decoded(ztunnel.decode)
    yield ("", None, None, None, None, dump.version, "ztunnel", None, dump.node, *(None,) * 5)


def _address(node_id: str | None) -> str | None:
    """The second part of ``type~ip~pod.namespace~domain``."""
    parts = (node_id or "").split("~")
    return parts[1] or None if len(parts) == 4 else None


proxies = Table(
    id="proxies",
    about="Version, state and identity of each proxy.",
    of="pod",
    columns=(
        Column("build", "category", about="Envoy's release.", source="/server_info version"),
        Column(
            "state", "category", about="LIVE, DRAINING, PRE_INITIALIZING, INITIALIZING.", source="/server_info state"
        ),
        Column(
            "uptime_s",
            "Float64",
            unit="s",
            about="Time since this process started.",
            source="/server_info uptime_current_epoch",
        ),
        Column(
            "concurrency",
            "Int64",
            unit="threads",
            about="Worker threads.",
            source="/server_info command_line_options.concurrency, else node.metadata.PROXY_CONFIG",
        ),
        Column("version", "category", about="Istio's release.", source="node.metadata.ISTIO_VERSION"),
        Column("role", "category", about="sidecar, router, waypoint or ztunnel.", source="node.id"),
        Column(
            "revision", "category", about="Revision of the control plane it was injected by.", source="istio.io/rev"
        ),
        Column("node", "category", about="Node that it runs on.", source="node.metadata.NODE_NAME"),
        Column("cluster_id", "category", about="Cluster of a mesh of several.", source="node.metadata.CLUSTER_ID"),
        Column(
            "workload", "category", about="Name of the workload, without kind.", source="node.metadata.WORKLOAD_NAME"
        ),
        Column("trust_domain", "category", about="Trust domain of its identity.", source="node.metadata"),
        Column(
            "service_account",
            "category",
            about="Service account of its identity.",
            source="node.metadata.SERVICE_ACCOUNT",
        ),
        Column("ip", "category", about="Address of the pod.", source="node.id"),
    ),
    reads={
        "envoy.server_info": _from_server_info,
        "envoy.config_dump": _from_dump,
        "ztunnel.config_dump": _from_ztunnel,
    },
    distinct=("namespace", "pod"),
    sampled=True,
)
