"""Versions that a report lists by name."""

from collections.abc import Iterator

from meshforensics.formats.versions import decode
from meshforensics.tables._declare import Column, Reading, Row, Table


def _versions(reading: Reading) -> Iterator[Row]:
    for one in reading.decoded(decode):
        yield one.pointer, one.component, one.version, one.revision or None


versions = Table(
    id="versions",
    about="Versions of control planes, proxies, tools and the cluster, as a report lists them.",
    of="mesh",
    columns=(
        Column("component", "category", about="istioctl, pilot, proxy, kubectl, kubernetes.", source="versions"),
        Column("version", "category", about="Its version.", source="versions"),
        Column("revision", "category", about="Istio revision, where it has one.", source="versions"),
    ),
    reads={"foreign.versions": _versions, "foreign.kubectl-version": _versions},
)
