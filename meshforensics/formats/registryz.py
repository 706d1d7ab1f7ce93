"""istiod's ``/debug/registryz``: services as istiod sees them.

Source: Istio pilot/pkg/model/service.go (Service as Go prints it: capitals where a field has no tag).
"""

from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats.kubernetes import mapping, members, text
from meshforensics.model import NotTheFormError

_WHAT = "istiod's registryz"
_RESOLUTION = ("ClientSideLB", "DNSLB", "Passthrough", "DNSRoundRobinLB", "Alias", "DynamicDNS")


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service: of Kubernetes, or of a ServiceEntry (`registry` is then ``External``).

    Attributes:
        addresses: virtual addresses in every cluster, sorted.
        ports: number, name and protocol of each.
        resolution: how hosts are found; a number that nobody knows stays one.
        external: whether it is declared to be outside of the mesh.
    """

    host: str
    namespace: str | None
    name: str | None
    registry: str | None
    addresses: tuple[str, ...]
    ports: tuple[tuple[int, str, str], ...]
    resolution: str | None
    external: bool
    created_at: str | None
    pointer: str


def decode(payload: bytes) -> tuple[Service, ...]:
    """Every service, in the order of the document.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is not a list of services.
    """
    services = decode_json(payload, what=_WHAT)
    if services is None:  # Go prints an empty list so
        return ()
    if not isinstance(services, list) or not all(isinstance(s, dict) and "hostname" in s for s in services):
        raise NotTheFormError(f"not {_WHAT}: it is no list of objects with a hostname")
    return tuple(_service(each, f"/{number}") for number, each in enumerate(services))


def _service(said: dict[str, Any], pointer: str) -> Service:
    attributes = mapping(said, "Attributes")
    external = said.get("MeshExternal", said.get("meshExternal"))
    return Service(
        host=str(said["hostname"]),
        namespace=text(attributes, "Namespace"),
        name=text(attributes, "Name"),
        registry=text(attributes, "ServiceRegistry"),
        addresses=_addresses(said),
        ports=tuple(_port(port) for port in members(said, "ports")),
        resolution=_resolution(said.get("Resolution", said.get("resolution"))),
        external=external is True,
        created_at=text(said, "creationTime"),
        pointer=pointer,
    )


def _addresses(said: dict[str, Any]) -> tuple[str, ...]:
    by_cluster = mapping(mapping(said, "clusterVIPs"), "Addresses")
    found = {each for several in by_cluster.values() if isinstance(several, list) for each in several}
    default = text(said, "defaultAddress") or text(said, "address")
    return tuple(sorted({str(each) for each in found} | ({default} if default else set())))


def _port(said: dict[str, Any]) -> tuple[int, str, str]:
    number = said.get("port")
    return (
        number if isinstance(number, int) and 0 <= number < 65536 else 0,
        text(said, "name") or "",
        text(said, "protocol") or "",
    )


def _resolution(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return _RESOLUTION[value] if 0 <= value < len(_RESOLUTION) else str(value)
    return value if isinstance(value, str) else None
