"""istiod's ``/debug/endpointz`` and ``endpointShardz``: endpoints as istiod sees them.

Three shapes: objects one after the other with stray commas (Istio up to 1.4), a list of
``{"svc", "ep"}`` (until 1.13 or so), and a map of host, namespace and shard.

Source: Istio pilot/pkg/xds/debug.go (endpointz, endpointShardz), pilot/pkg/model/endpointshards.go.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._text_lines import lines_pointer
from meshforensics.formats._xds_message import escape
from meshforensics.formats.kubernetes import mapping, members, text
from meshforensics.model import NotTheFormError, TruncatedError

_WHAT = "istiod's endpointz"
_HEALTH = {0: None, 1: "HEALTHY", 2: "UNHEALTHY", 3: "DRAINING", 4: "TERMINATING"}
_SERVICE = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[?\s*\{\s*\"svc\"")
_BETWEEN = re.compile(r"[\s,\[\]]*")
_PORTS = 65536


class IstiodEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint of a service, as istiod would send it.

    Attributes:
        port_name: of the service's port.
        health: ``HEALTHY``, ``UNHEALTHY``, ``DRAINING``, ``TERMINATING``, or None where it is not said.
        tls: ``istio`` where the workload accepts mutual TLS, ``disabled`` where not.
    """

    host: str
    namespace: str | None
    shard: str | None
    address: str | None
    port: int | None
    port_name: str | None
    workload: str | None
    service_account: str | None
    health: str | None
    tls: str | None
    locality: str | None
    pointer: str


def decode(payload: bytes) -> tuple[IstiodEndpoint, ...]:
    """Every endpoint, in the order of the document.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it has none of the three shapes.
    """
    begins = _SERVICE.match(payload)
    if begins:
        return tuple(_of_services(_stream(payload) if _is_stream(payload) else _listed(payload)))
    said = decode_json(payload, what=_WHAT)
    if said is None or said == []:
        return ()
    if not isinstance(said, dict) or not all(isinstance(by_name, dict) for by_name in said.values()):
        raise NotTheFormError(f"not {_WHAT}: neither a map of hosts nor a list of services")
    return tuple(_of_map(said))


def _is_stream(payload: bytes) -> bool:
    """Whether it is no JSON as a whole; a cut list is not taken for a stream."""
    try:
        decode_json(payload, what=_WHAT)
    except TruncatedError:
        return payload.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{"
    except NotTheFormError:
        return True
    return False


def _listed(payload: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    said = decode_json(payload, what=_WHAT)
    services = said if isinstance(said, list) else [said]
    for number, service in enumerate(services):
        yield (f"/{number}" if isinstance(said, list) else ""), _a_service(service)


def _stream(payload: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a stream with commas wherever they may be, each with its lines."""
    body = payload.decode("utf-8", "replace").removeprefix("\ufeff")
    reader = json.JSONDecoder()
    line, counted = 1, 0
    at = _skip(body, 0)
    while at < len(body):
        try:
            value, end = reader.raw_decode(body, at)
        except (ValueError, RecursionError) as error:
            raise _refusal(error, body) from error
        first = line + body.count("\n", counted, at)
        line, counted = first + body.count("\n", at, end), end
        yield lines_pointer(first, line), _a_service(value)
        at = _skip(body, end)


def _refusal(error: Exception, body: str) -> NotTheFormError:
    ended = isinstance(error, json.JSONDecodeError) and error.pos >= len(body.rstrip()) - 1
    if ended or "Unterminated string" in str(error):
        return TruncatedError(f"{_WHAT} that ends in the middle, after {len(body)} characters")
    return NotTheFormError(f"not {_WHAT}: {error}")


def _a_service(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NotTheFormError(f"not {_WHAT}: a service in it is no object")
    return value


def _skip(body: str, at: int) -> int:
    found = _BETWEEN.match(body, at)
    return found.end() if found else at


def _of_services(services: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[IstiodEndpoint]:
    for pointer, service in services:
        host, _, port_name = (text(service, "svc") or "").rpartition(":")
        for index, each in enumerate(members(service, "ep")):
            endpoint = {"ServicePortName": port_name, **(mapping(each, "endpoint") or each)}
            attributes = mapping(mapping(each, "service"), "Attributes")
            place = pointer if pointer.startswith("L") else f"{pointer}/ep/{index}"
            yield _endpoint(endpoint, (host, text(attributes, "Namespace"), None), place)


def _of_map(hosts: dict[str, Any]) -> Iterator[IstiodEndpoint]:
    for host, by_namespace in hosts.items():
        for namespace in by_namespace:
            shards = mapping(mapping(by_namespace, namespace), "Shards")
            for shard in shards:
                place = f"/{escape(host)}/{escape(namespace)}/Shards/{escape(shard)}"
                for index, endpoint in enumerate(members(shards, shard)):
                    yield _endpoint(endpoint, (host, namespace, shard), f"{place}/{index}")


def _endpoint(said: dict[str, Any], of: tuple[str, str | None, str | None], pointer: str) -> IstiodEndpoint:
    host, namespace, shard = of
    return IstiodEndpoint(
        host=host,
        namespace=namespace,
        shard=shard,
        address=_address(said),
        port=_port(said.get("EndpointPort", said.get("Port"))),
        port_name=text(said, "ServicePortName"),
        workload=text(said, "WorkloadName"),
        service_account=text(said, "ServiceAccount"),
        health=_health(said.get("HealthStatus")),
        tls=text(said, "TLSMode"),
        locality=text(mapping(said, "Locality"), "Label"),
        pointer=pointer,
    )


def _address(said: dict[str, Any]) -> str | None:
    several = said.get("Addresses")
    if isinstance(several, list) and several and isinstance(several[0], str):
        return several[0]
    return text(said, "Address")


def _port(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _PORTS else None


def _health(value: object) -> str | None:
    if isinstance(value, int):
        return _HEALTH.get(value, str(value))
    return value.upper() if isinstance(value, str) else None
