"""Versions: as a report lists them by name, and as istiod and the API server say their own."""

from collections.abc import Iterator

from meshforensics.formats.versions import Version, decode, decode_istiod, decode_kubernetes
from meshforensics.tables._declare import Column, Reading, Row, Table


def _versions(reading: Reading) -> Iterator[Row]:
    for one in reading.decoded(decode):
        yield _row(one)


def _istiod(reading: Reading) -> Iterator[Row]:
    yield _row(reading.decoded(decode_istiod))


def _kubernetes(reading: Reading) -> Iterator[Row]:
    yield _row(reading.decoded(decode_kubernetes))


def _row(one: Version) -> Row:
    return one.pointer, one.component, one.version, one.revision or None


versions = Table(
    id="versions",
    about="Versions of control planes, proxies, tools and the cluster, as a report lists them or they say themselves.",
    of="mesh",
    columns=(
        Column("component", "category", about="istioctl, pilot, proxy, kubectl, kubernetes.", source="versions"),
        Column("version", "category", about="Its version.", source="versions"),
        Column("revision", "category", about="Istio revision, where it has one.", source="versions"),
    ),
    reads={
        "foreign.versions": _versions,
        "foreign.kubectl-version": _versions,
        "istiod.version": _istiod,
        "kubernetes.version": _kubernetes,
    },
)
