"""Versions: of istiod, proxies and tools, by capture."""

from meshforensics.investigation import Investigation
from meshforensics.testing import tables_of
from tests.tables.reading import cells


def test_versions_change_over_time(upgrade: Investigation) -> None:
    assert cells(upgrade.frame("versions"), "version", "revision", component="pilot") == [("1.31.0", "default")]
    assert cells(upgrade.over_time("versions"), "version", component="pilot") == [("1.29.2",), ("1.31.0",)]
    assert cells(upgrade.frame("versions"), "version", component="proxy") == [("1.29.2",)]


def test_istiod_and_kubernetes_say_their_own() -> None:
    tables = tables_of(
        ("istiod.version", "istio-system/istiod-1", b"1.31.0-3e85a4f1d2c6b7a8-Clean"),
        ("kubernetes.version", "-", b'{"gitVersion": "v1.34.2"}'),
    )

    said = cells(tables.frame("versions"), "component", "version", "pointer")
    assert sorted(said, key=str) == [
        ("kubernetes", "v1.34.2", "/gitVersion"),
        ("pilot", "1.31.0", "L1"),
    ]
