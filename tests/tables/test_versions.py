"""Versions: of istiod, proxies and tools, by capture."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_versions_change_over_time(upgrade: Investigation) -> None:
    assert cells(upgrade.frame("versions"), "version", "revision", component="pilot") == [("1.31.0", "default")]
    assert cells(upgrade.over_time("versions"), "version", component="pilot") == [("1.29.2",), ("1.31.0",)]
    assert cells(upgrade.frame("versions"), "version", component="proxy") == [("1.29.2",)]
