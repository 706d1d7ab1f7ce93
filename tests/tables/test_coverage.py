"""Coverage: proxies known, captured, decoded."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_coverage(leak: Investigation) -> None:
    assert cells(leak.frame("coverage"), "namespace", "known", "captured", "decoded") == [
        ("istio-system", 1, 0, 0),
        ("ops", 1, 1, 1),
        ("travel", 6, 3, 3),
    ]
