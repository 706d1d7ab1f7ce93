"""Events: relative ages become instants."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_an_age_counts_back_from_the_capture(upgrade: Investigation) -> None:
    object_ = "Pod:istio-system/istio-ingressgateway-shpd585tt-9vm87"

    assert cells(upgrade.frame("events"), "type", "reason", "at", object=object_) == [
        ("Normal", "Pulled", "2026-11-23T18:06:29.440260+00:00")
    ]
