"""Proxies: version, state and identity of each, from /server_info, else from the dump's bootstrap."""

from collections.abc import Iterable
from typing import Any

from meshforensics.formats import server_info
from meshforensics.formats.config_dump import Bootstrap, ResourceStore, role_of
from meshforensics.tables._declare import Column, Reading, Row, Table


def _from_server_info(reading: Reading) -> Iterable[Row]:
    said = reading.decoded(server_info.decode)
    node = said.node
    metadata = _object(node, "metadata")
    labels = _object(metadata, "LABELS")
    yield (
        "",
        _text(metadata, "ISTIO_VERSION"),
        said.build or None,
        role_of(_text(node, "id") or ""),
        labels.get("istio.io/rev"),
        said.state,
        said.uptime_s,
        _text(metadata, "NODE_NAME"),
        said.concurrency,
        _text(metadata, "CLUSTER_ID"),
        _text(metadata, "WORKLOAD_NAME"),
        _text(_object(metadata, "PROXY_CONFIG"), "trustDomain") or _text(metadata, "TRUST_DOMAIN"),
        _text(metadata, "SERVICE_ACCOUNT"),
        _address(_text(node, "id")),
    )


def _from_dump(reading: Reading) -> Iterable[Row] | None:
    made: Bootstrap | None = reading.decoded(reading.shared(ResourceStore).decode).bootstrap
    if made is None:
        return None
    return [
        (
            made.pointer,
            made.istio_version,
            made.envoy_version,
            role_of(made.node_id or ""),
            made.revision,
            None,
            None,
            made.node_name,
            made.concurrency,
            made.cluster_id,
            made.workload,
            made.trust_domain,
            made.service_account,
            _address(made.node_id),
        )
    ]


def _object(of: dict[str, Any], name: str) -> dict[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _text(of: dict[str, Any], name: str) -> str | None:
    found = of.get(name)
    return found if isinstance(found, str) and found else None


def _address(node_id: str | None) -> str | None:
    """The second part of ``type~ip~pod.namespace~domain``."""
    parts = (node_id or "").split("~")
    return parts[1] or None if len(parts) == 4 else None


proxies = Table(
    id="proxies",
    about="Version, state and identity of each proxy.",
    of="pod",
    columns=(
        Column("version", "category", about="Istio's release.", source="node.metadata.ISTIO_VERSION"),
        Column("build", "category", about="Envoy's release.", source="/server_info version"),
        Column("role", "category", about="sidecar, router, waypoint or ztunnel.", source="node.id"),
        Column(
            "revision", "category", about="Revision of the control plane it was injected by.", source="node labels"
        ),
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
        Column("node", "category", about="Node that it runs on.", source="node.metadata.NODE_NAME"),
        Column(
            "concurrency",
            "Int64",
            unit="threads",
            about="Worker threads.",
            source="/server_info command_line_options.concurrency",
        ),
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
    reads={"envoy.server_info": _from_server_info, "envoy.config_dump": _from_dump},
    distinct=("namespace", "pod"),
    sampled=True,
)
