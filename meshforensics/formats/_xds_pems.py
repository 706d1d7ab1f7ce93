"""Where the certificates of a config dump stand."""

from collections.abc import Iterator
from typing import NamedTuple

from meshforensics.formats._xds_cluster import Cluster
from meshforensics.formats._xds_dump import ConfigDump
from meshforensics.formats._xds_listener import Listener
from meshforensics.formats._xds_secret import Role, Secret


class PlacedPem(NamedTuple):
    """A text of PEM blocks with its pointer in the dump and what holds it: ``sds:default``."""

    pointer: str
    place: str
    role: Role
    text: str


def pems_of(dump: ConfigDump) -> Iterator[PlacedPem]:
    """Every PEM text of a dump: of SDS secrets, and of TLS contexts that carry their certificates."""
    for entry in dump.bearing():
        record = entry.resource.record if entry.resource is not None else None
        if isinstance(record, (Secret, Cluster, Listener)) and record.pems:
            kind = "sds" if entry.kind == "secret" else entry.kind
            for pem in record.pems:
                yield PlacedPem(entry.place + pem.pointer, f"{kind}:{entry.name or ''}", pem.role, pem.text)
