"""Pages of a proxy's admin port, by the agent that every image has."""

import pytest

from tests.guide.settings import RULE, commands, manifests, service, setting


@pytest.mark.parametrize(
    ("topic", "page"),
    [
        ("config-dump", "'config_dump?include_eds'"),
        ("certificates", "certs"),
        ("memory", "memory"),
    ],
)
def test_the_page_is_asked_of_the_service_s_pod(topic: str, page: str) -> None:
    first = commands(topic)[0].partition(" | ")[0]

    assert first == f"kubectl -n shop exec cart-0 -c istio-proxy -- pilot-agent request GET {page}"


def test_limits_are_asked_of_a_caller() -> None:
    assert [line.split()[4] for line in commands("breakers")[:2]] == ["web-0", "web-0"]
    assert "--fqdn cart.shop.svc.cluster.local" in commands("breakers")[2]


def test_nothing_resets_a_breaker() -> None:
    assert not any("reset" in line for topic in ("breakers", "traffic") for line in commands(topic))


def test_a_series_is_long_enough() -> None:
    assert "--watch 2h" in commands("memory")[1]


def test_pools_are_added_to_the_rule_that_is_there() -> None:
    (rule,) = manifests("connection-pools", setting(service(rule=RULE)))

    assert rule["metadata"]["name"] == "cart-rule"
    assert rule["spec"]["subsets"] == RULE.spec["subsets"]
    assert set(rule["spec"]["trafficPolicy"]) == {"loadBalancer", "connectionPool", "outlierDetection"}
    assert commands("connection-pools", setting(service(rule=RULE)))[0].startswith(
        "kubectl -n shop get destinationrules"
    )


def test_answers_are_asked_of_a_caller_and_of_its_log() -> None:
    assert commands("traffic")[-1] == "kubectl -n shop logs web-0 -c istio-proxy --tail=200"
