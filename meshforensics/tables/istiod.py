"""The mesh as istiod sees it: services, endpoints, problems of the last push, mesh configuration."""

from collections.abc import Iterable

from meshforensics.formats import endpointz, mesh, push_status, registryz
from meshforensics.tables._declare import Column, Reading, Row, Table

_ISTIOD = Column("istiod", "category", about="The istiod that says so, as namespace/pod.", source="manifest")
_HOST = Column("host", "category", about="Host name of the service.", source="hostname")


def _registry(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(registryz.decode):
        yield (
            each.pointer,
            reading.item.subject,
            each.host,
            each.namespace,
            each.name,
            each.registry,
            each.resolution,
            each.external,
            each.addresses,
            tuple(f"{number}/{protocol}" for number, _, protocol in each.ports),
            each.created_at,
        )


registry = Table(
    id="registry",
    about="Services as istiod sees them, of Kubernetes and of ServiceEntries.",
    of="mesh",
    columns=(
        _ISTIOD,
        _HOST,
        Column("namespace", "category", about="Namespace of the service.", source="Attributes.Namespace"),
        Column("name", "category", about="Name of the service.", source="Attributes.Name"),
        Column("registry", "category", about="Kubernetes, External, …", source="Attributes.ServiceRegistry"),
        Column("resolution", "category", about="How its hosts are found.", source="Resolution"),
        Column("external", "boolean", about="Declared to be outside of the mesh.", source="MeshExternal"),
        Column("addresses", "object", about="Virtual addresses, sorted.", source="clusterVIPs, defaultAddress"),
        Column("ports", "object", about="Ports as number/protocol.", source="ports"),
        Column("created_at", "datetime64[us, UTC]", about="When it was made.", source="creationTime"),
    ),
    reads={"istiod.registryz": _registry},
)


def _endpoints(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(endpointz.decode):
        yield (
            each.pointer,
            reading.item.subject,
            each.host,
            each.namespace,
            _address(each),
            each.port_name,
            each.workload,
            each.health,
            each.tls,
            each.locality,
            each.shard,
        )


def _address(said: endpointz.IstiodEndpoint) -> str | None:
    if said.address is None or said.port is None:
        return said.address
    return f"[{said.address}]:{said.port}" if ":" in said.address else f"{said.address}:{said.port}"


registry_endpoints = Table(
    id="registry_endpoints",
    about="Endpoints as istiod would send them.",
    of="mesh",
    columns=(
        _ISTIOD,
        _HOST,
        Column("namespace", "category", about="Namespace of the service.", source="endpointShardz"),
        Column("address", "category", about="Address as ip:port.", source="Address, EndpointPort"),
        Column("port_name", "category", about="Name of the service's port.", source="ServicePortName"),
        Column("workload", "category", about="Workload behind it.", source="WorkloadName"),
        Column("health", "category", about="HEALTHY, UNHEALTHY, DRAINING, TERMINATING.", source="HealthStatus"),
        Column("tls_mode", "category", about="istio where it accepts mutual TLS, else disabled.", source="TLSMode"),
        Column("locality", "category", about="region/zone/subzone.", source="Locality.Label"),
        Column("shard", "category", about="Registry and cluster it comes from.", source="Shards"),
    ),
    reads={"istiod.endpointz": _endpoints},
)


def _problems(reading: Reading) -> Iterable[Row]:
    for each in reading.decoded(push_status.decode):
        yield (each.pointer, reading.item.subject, each.metric, each.key, each.proxy, each.message)


push_problems = Table(
    id="push_problems",
    about="What istiod found wrong while it made the last configuration.",
    of="mesh",
    columns=(
        _ISTIOD,
        Column("metric", "category", about="Metric that counts it.", source="push_status"),
        Column("resource_name", "category", about="Resource it is about.", source="push_status"),
        Column("proxy", "category", about="Proxy it is about, as istiod names it.", source="proxy"),
        Column("message", "str", about="What istiod says.", source="message"),
    ),
    reads={"istiod.push_status": _problems},
)


def _mesh_config(reading: Reading) -> Iterable[Row]:
    said = reading.decoded(mesh.decode)
    yield (
        said.pointer,
        reading.item.subject,
        said.root_namespace,
        said.trust_domain,
        said.trust_domain_aliases,
        said.outbound_policy,
        said.auto_mtls,
        said.access_log_file,
        said.access_log_encoding,
        said.access_log_format,
        said.provider_names,
    )


mesh_config = Table(
    id="mesh_config",
    about="The mesh configuration that each istiod runs with.",
    of="mesh",
    columns=(
        _ISTIOD,
        Column("root_namespace", "category", about="Namespace of mesh-wide objects.", source="rootNamespace"),
        Column("trust_domain", "category", about="Trust domain of identities.", source="trustDomain"),
        Column("trust_domain_aliases", "object", about="Others that count as it.", source="trustDomainAliases"),
        Column("outbound_policy", "category", about="ALLOW_ANY or REGISTRY_ONLY.", source="outboundTrafficPolicy.mode"),
        Column("auto_mtls", "boolean", about="Whether clients choose mutual TLS.", source="enableAutoMtls"),
        Column("access_log_file", "category", about="Where proxies log requests.", source="accessLogFile"),
        Column("access_log_encoding", "category", about="TEXT or JSON.", source="accessLogEncoding"),
        Column("access_log_format", "str", about="Format, where it is not the default.", source="accessLogFormat"),
        Column("providers", "object", about="Names of extension providers.", source="extensionProviders"),
    ),
    reads={"istiod.mesh": _mesh_config},
)
