"""Usage: what kubectl top and the metrics API say."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_usage(leak: Investigation) -> None:
    assert cells(leak.frame("usage"), "pod", "container", "cpu_m", "memory_bytes", namespace="ops") == [
        ("seats-v1-c49cvfc48-z44rb", "istio-proxy", 15, 149946368)
    ]
    assert len(leak.over_time("usage")) == 44
