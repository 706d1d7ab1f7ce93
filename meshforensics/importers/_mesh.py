"""Whether several reports are of one mesh.

In this order: the same API server, or any object with the same UID, is the same mesh; else different servers,
or different names where a server is not known, are different meshes. A report that says none of it is taken
for one of the same mesh: a lone admin file names none. Two clusters of one multi-cluster mesh count as two:
their pods may have the same names.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations

from meshforensics.model import SourceError

_UID = re.compile(rb"^\s*\"?uid\"?: \"?([0-9a-f]{8}-[0-9a-f-]{27})\b", re.MULTILINE)


def _none() -> frozenset[bytes]:
    return frozenset()


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Which mesh a report is of.

    Attributes:
        report: what the user knows the report by.
        name: name of the cluster's context; empty when unknown.
        server: address of its API server; empty when unknown.
        uids: UIDs of its objects, read only when they must decide.
    """

    report: str
    name: str = ""
    server: str = ""
    uids: Callable[[], frozenset[bytes]] = _none

    @property
    def words(self) -> str:
        """The mesh and the report, for a message."""
        named = " at ".join(part for part in (self.name, self.server) if part)
        return f"{self.report} ({named})"


def mesh_of(report: str, context: bytes, uids: Callable[[], frozenset[bytes]] = _none) -> Mesh:
    r"""The mesh that a ``cluster-context`` names: the context and the API server, in either order of lines.

    >>> mesh_of("a.tar.gz", b"* lab https://10.0.0.1:6443\n").name
    'lab'
    """
    words = context.decode("utf-8", "replace").split()
    servers = [word for word in words if word.startswith(("http://", "https://"))]
    names = [word for word in words if word != "*" and word not in servers]
    return Mesh(report=report, name=names[0][:200] if names else "", server=_address(servers), uids=uids)


def uids_of(payloads: Iterable[bytes]) -> frozenset[bytes]:
    """The UIDs of the objects in some YAML or JSON lists."""
    return frozenset(uid for payload in payloads for uid in _UID.findall(payload))


def same_mesh(meshes: Iterable[Mesh]) -> str:
    """The name of the one mesh that reports are of; empty when none tells it.

    Raises:
        SourceError: two reports are of different meshes; the message names both.
    """
    known = [mesh for mesh in dict.fromkeys(meshes) if mesh.name or mesh.server]
    for one, other in combinations(known, 2):
        if _differ(one, other):
            raise SourceError(
                f"reports of different meshes cannot be one bundle: {one.words} and {other.words}; import each alone"
            )
    return next((mesh.name for mesh in known if mesh.name), "")


def _differ(one: Mesh, other: Mesh) -> bool:
    if one.server and one.server == other.server:
        return False
    if not one.server or not other.server:
        named = bool(one.name and other.name)
        return named and one.name != other.name and not one.uids() & other.uids()
    return not one.uids() & other.uids()


def _address(servers: list[str]) -> str:
    return servers[0].rstrip("/").lower()[:200] if servers else ""
