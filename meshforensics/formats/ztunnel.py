"""ztunnel's ``/config_dump``, in every shape since 2023, as JSON or YAML.

Workloads and services were maps by address (`by_addr`, `by_uid`, `by_vip`, before that `vips` and
`services_by_ip`), then one map each, and are lists now. Keys are camelCase, before 2023-08 partly snake_case.

Source: ztunnel src/admin.rs, src/state.rs, src/state/{workload,service,policy}.rs.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._xds_message import escape
from meshforensics.formats._yaml import documents
from meshforensics.formats.kubernetes import mapping, members, text
from meshforensics.model import NotTheFormError

_WHAT = "a config dump of ztunnel"
_WORKLOADS = ("workloads", "by_uid", "byUid", "by_addr", "byAddr")
_SERVICES = ("services", "by_vip", "byVip", "services_by_ip", "vips")
_TELLING = {*_WORKLOADS, *_SERVICES, "workloadState"}
_CHAINS = (("certChain", "chain", 0), ("ca_cert", "chain", 0), ("cert_chain", "chain", 1), ("rootCerts", "root", 0))


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """One workload that ztunnel knows.

    Attributes:
        protocol: ``HBONE`` or ``TCP``, as printed.
        waypoint: ``network/ip`` or ``namespace/host`` of its waypoint.
        services: ``namespace/host`` of the services it belongs to, as far as the dump says.
        status: ``Healthy`` or ``Unhealthy``.
    """

    namespace: str | None
    name: str
    addresses: tuple[str, ...]
    protocol: str | None
    service_account: str | None
    trust_domain: str | None
    workload: str | None
    workload_type: str | None
    node: str | None
    network: str | None
    cluster_id: str | None
    waypoint: str | None
    services: tuple[str, ...]
    policies: tuple[str, ...]
    status: str | None
    uid: str | None
    pointer: str


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service that ztunnel knows; `endpoints` are workload uids, or addresses in old dumps."""

    namespace: str | None
    name: str | None
    host: str | None
    addresses: tuple[str, ...]
    endpoints: tuple[str, ...]
    waypoint: str | None
    pointer: str


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One authorization policy; `scope` is ``Global``, ``Namespace`` or ``WorkloadSelector``."""

    namespace: str | None
    name: str
    action: str | None
    scope: str | None
    rules: int
    pointer: str


class HeldCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate that ztunnel holds for an identity.

    Attributes:
        identity: SPIFFE URI of the workloads.
        part: ``chain``, whose `depth` 0 is the leaf, or ``root``.
        serial: lower-case hex, from the decimal that is printed.
        pem: None where it was taken out.
        pointer: place of the PEM text.
    """

    identity: str
    part: str
    depth: int
    serial: str | None
    not_before: str | None
    not_after: str | None
    pem: str | None
    pointer: str


class Identity(msgspec.Struct, frozen=True):
    """State of an identity's certificates: ``Available``, ``Initializing`` or ``Unavailable``, and why."""

    identity: str
    state: str
    reason: str | None
    pointer: str


class InPod(msgspec.Struct, frozen=True):
    """One pod whose traffic this ztunnel handles, with its open connections."""

    namespace: str | None
    name: str
    state: str | None
    inbound: int
    outbound: int
    pointer: str


class ZtunnelDump(msgspec.Struct, frozen=True, kw_only=True):
    """What one dump holds; `version` is of Istio, `node` where this ztunnel runs."""

    workloads: tuple[Workload, ...]
    services: tuple[Service, ...]
    policies: tuple[Policy, ...]
    certificates: tuple[HeldCertificate, ...]
    identities: tuple[Identity, ...]
    pods: tuple[InPod, ...]
    version: str | None
    node: str | None


def decode(payload: bytes) -> ZtunnelDump:
    """Read a dump.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is none, such as a dump of Envoy.
    """
    if payload.lstrip()[:1] in {b"{", b"["} or not payload.strip():
        said = decode_json(payload, what=_WHAT)
    else:
        said = next(documents(payload, what=_WHAT), None)
    if not isinstance(said, dict) or "configs" in said or _TELLING.isdisjoint(said):
        raise NotTheFormError(f"not {_WHAT}: {_instead(said)}")
    return ZtunnelDump(
        workloads=tuple(_workload(each, *where) for *where, each in _first(said, _WORKLOADS)),
        services=tuple(_service(each, *where) for *where, each in _first(said, _SERVICES)),
        policies=tuple(_policy(each, *where) for *where, each in _objects(said, "policies")),
        certificates=tuple(_certificates(said)),
        identities=tuple(_identities(said)),
        pods=tuple(_in_pod(each, *where) for *where, each in _objects(said, "workloadState")),
        version=text(mapping(said, "version"), "istioVersion") or text(mapping(said, "version"), "istio_version"),
        node=text(mapping(said, "config"), "localNode") or text(mapping(said, "config"), "local_node"),
    )


def _instead(said: object) -> str:
    if isinstance(said, dict) and "configs" in said:
        return "it is a config dump of Envoy"
    return "it has neither workloads nor services"


def _first(said: dict[str, Any], keys: tuple[str, ...]) -> Iterator[tuple[str, str, Any]]:
    """The objects under the first of `keys` that is there."""
    found = next((key for key in keys if said.get(key)), None)
    yield from _objects(said, found) if found else ()


def _objects(said: dict[str, Any], key: str) -> Iterator[tuple[str, str, Any]]:
    """Pointer, key and value of the members of a list or a map."""
    value = said.get(key)
    if isinstance(value, dict):
        for name, each in value.items():
            yield f"/{key}/{escape(str(name))}", str(name), each
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield f"/{key}/{number}", "", each


def _texts(said: dict[str, Any], key: str) -> tuple[str, ...]:
    value = said.get(key)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _workload(said: Any, pointer: str, key: str) -> Workload:
    said = said if isinstance(said, dict) else {}
    old = text(said, "workloadIp") or text(said, "workload_ip")
    return Workload(
        namespace=text(said, "namespace"),
        name=text(said, "name") or key,
        addresses=_texts(said, "workloadIps") or ((old,) if old else ()),
        protocol=text(said, "protocol"),
        service_account=text(said, "serviceAccount"),
        trust_domain=text(said, "trustDomain"),
        workload=text(said, "workloadName"),
        workload_type=text(said, "workloadType"),
        node=text(said, "node"),
        network=text(said, "network"),
        cluster_id=text(said, "clusterId"),
        waypoint=_destination(said.get("waypoint")),
        services=_texts(said, "services"),
        policies=_texts(said, "authorizationPolicies"),
        status=text(said, "status"),
        uid=text(said, "uid"),
        pointer=pointer,
    )


def _destination(waypoint: Any) -> str | None:
    destination = waypoint.get("destination") if isinstance(waypoint, dict) else waypoint
    if isinstance(destination, dict):
        destination = "/".join(str(value) for value in destination.values() if isinstance(value, str))
    return destination if isinstance(destination, str) and destination else None


def _service(said: Any, pointer: str, key: str) -> Service:
    if not isinstance(said, dict):  # 2023-03: address and port, with the addresses behind it
        behind = [each[0] for each in said if isinstance(each, list) and each] if isinstance(said, list) else []
        said = {"vips": [key], "endpoints": {str(each): {} for each in behind}}
    return Service(
        namespace=text(said, "namespace"),
        name=text(said, "name"),
        host=text(said, "hostname"),
        addresses=_texts(said, "vips") or _texts(said, "addresses"),
        endpoints=tuple(_endpoints(said)),
        waypoint=_destination(said.get("waypoint")),
        pointer=pointer,
    )


def _endpoints(said: dict[str, Any]) -> Iterator[str]:
    for key, endpoint in mapping(said, "endpoints").items():
        yield (text(endpoint, "workloadUid") if isinstance(endpoint, dict) else None) or key


def _policy(said: Any, pointer: str, key: str) -> Policy:
    said = said if isinstance(said, dict) else {}
    rules = said.get("rules")
    return Policy(
        namespace=text(said, "namespace"),
        name=text(said, "name") or key,
        action=text(said, "action"),
        scope=text(said, "scope"),
        rules=len(rules) if isinstance(rules, list) else 0,
        pointer=pointer,
    )


def _certificates(said: dict[str, Any]) -> Iterator[HeldCertificate]:
    for number, held in enumerate(members(said, "certificates")):
        for key, part, start in _CHAINS:
            for index, each in enumerate(members(held, key)):
                yield HeldCertificate(
                    identity=text(held, "identity") or "",
                    part=part,
                    depth=start + index,
                    serial=_serial(each),
                    not_before=text(each, "validFrom") or text(each, "valid_from"),
                    not_after=text(each, "expirationTime") or text(each, "expiration_time"),
                    pem=_pem(text(each, "pem")),
                    pointer=f"/certificates/{number}/{key}/{index}/pem",
                )


def _serial(said: dict[str, Any]) -> str | None:
    printed = text(said, "serialNumber") or text(said, "serial_number") or ""
    return f"{int(printed):x}" if printed.isascii() and printed.isdigit() and len(printed) < 100 else None


def _pem(said: str | None) -> str | None:
    """The PEM text, which newer dumps hold in base64."""
    if said is None or "-----BEGIN" in said:
        return said
    try:
        made = base64.b64decode(said, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return made if "-----BEGIN" in made else None


def _identities(said: dict[str, Any]) -> Iterator[Identity]:
    for number, held in enumerate(members(said, "certificates")):
        state = held.get("state")
        if isinstance(state, dict):  # serde's form of a variant with a value
            state = ": ".join(str(each) for pair in state.items() for each in pair)
        name, _, reason = (state if isinstance(state, str) else "").partition(": ")
        yield Identity(text(held, "identity") or "", name, reason or None, f"/certificates/{number}")


def _in_pod(said: Any, pointer: str, key: str) -> InPod:
    said = said if isinstance(said, dict) else {}
    info = mapping(said, "info")
    connections = mapping(said, "connections")
    return InPod(
        namespace=text(info, "namespace"),
        name=text(info, "name") or key,
        state=text(said, "state"),
        inbound=len(members(connections, "inbound")),
        outbound=len(members(connections, "outbound")),
        pointer=pointer,
    )
