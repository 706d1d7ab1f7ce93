"""Calls: once per hop at the caller, with who failed them."""

from meshforensics.investigation import Investigation
from tests.tables.reading import cells


def test_the_caller_that_fails_and_the_one_that_passes_it_on(upgrade: Investigation) -> None:
    calls = upgrade.frame("calls")
    failed = calls[calls["failed"].astype(bool)]

    said = {key: len(rows) for key, rows in failed.groupby(["caller", "host", "family", "decided_by"], observed=True)}
    assert said == {
        ("istio-system/istio-ingressgateway", "web.travel.svc.cluster.local", "application", "upstream"): 45,
        ("travel/web-v1", "search.travel.svc.cluster.local", "no-cluster", "caller"): 45,
    }


def test_a_request_is_counted_once_per_hop(upgrade: Investigation) -> None:
    calls = upgrade.frame("calls")

    assert not calls.duplicated(["request_id", "namespace", "pod", "host", "at"]).any()
    assert len(cells(calls, "at", caller="travel/web-v1", host="search.travel.svc.cluster.local")) == 217
