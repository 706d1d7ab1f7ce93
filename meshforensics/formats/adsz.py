"""istiod's ``/debug/adsz``: the proxies that are connected to it, since when, and what they watch.

Source: Istio pilot/pkg/xds/debug.go (AdsClients).
"""

from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats.istiod_log import proxy_of
from meshforensics.formats.kubernetes import mapping, text
from meshforensics.formats.xds_type import short_type
from meshforensics.model import NotTheFormError

_WHAT = "istiod's adsz"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One proxy's stream to this istiod.

    Attributes:
        proxy: ``namespace/pod``; None where the connection id has another form.
        version: of the proxy; None where the metadata was left out.
        watches: names asked for, by type (``eds``, ``rds``, …); types asked for whole have none.
    """

    connection: str
    proxy: str | None
    connected_at: str | None
    address: str | None
    version: str | None
    watches: dict[str, tuple[str, ...]]
    pointer: str


def decode(payload: bytes) -> tuple[Connection, ...]:
    """Every connection, in the order of the document.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it has no list of clients.
    """
    said = decode_json(payload, dict[str, Any], what=_WHAT)
    clients = said.get("clients", said.get("connected"))
    if clients is None and said.get("totalClients") == 0:
        return ()
    if not isinstance(clients, list) or not all(isinstance(each, dict) for each in clients):
        raise NotTheFormError(f"not {_WHAT}: it has no list of clients")
    where = "clients" if "clients" in said else "connected"
    return tuple(_connection(each, f"/{where}/{number}") for number, each in enumerate(clients))


def _connection(client: dict[str, Any], pointer: str) -> Connection:
    name = text(client, "connectionId") or ""
    watches = mapping(client, "watches")
    return Connection(
        connection=name,
        proxy=proxy_of(name.rpartition("-")[0]),
        connected_at=text(client, "connectedAt"),
        address=text(client, "address"),
        version=text(mapping(client, "metadata"), "ISTIO_VERSION"),
        watches={short_type(url): _names(names) for url, names in watches.items()},
        pointer=pointer,
    )


def _names(names: object) -> tuple[str, ...]:
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()
