"""Rules of VirtualServices that ask for what cannot be."""

from typing import Any

import pandas as pd
import pytest

from meshforensics.checks import Check
from meshforensics.checks.routing_rules import (
    destination_without_weight,
    fault_injected,
    fault_without_effect,
    retries_exceed_timeout,
    unreachable_rule,
    weights_not_100,
)
from meshforensics.testing import frame, outcome
from tests.checks.objects import said_of


def _rules(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows of one VirtualService; a rule of its own each, where not said otherwise."""
    given = [{"rule": number, "pointer": f"/spec/http/{number}/route/0", **row} for number, row in enumerate(rows)]
    base = {"object": "VirtualService:shop/pay", "section": "http", "host": "pay"}
    columns = {key: [{**base, **row}.get(key) for row in given] for key in {*base, *(k for row in given for k in row)}}
    return frame("virtual_service_rules", **columns)


def _split(*weights: int | None) -> pd.DataFrame:
    return _rules(*({"rule": 0, "weight": each, "host": f"h{number}"} for number, each in enumerate(weights)))


@pytest.mark.parametrize(
    ("rules", "totals"),
    [
        pytest.param(_split(90, 10), [], id="100"),
        pytest.param(_split(90, 9), [99], id="99"),
        pytest.param(_split(90, None), [], id="one-without-weight-is-another-check"),
        pytest.param(_split(50), [], id="the-only-one"),
        pytest.param(_rules({"rule": 0, "weight": 100}, {"rule": 0, "mirror": True}), [], id="a-mirror-has-none"),
    ],
)
def test_weights_not_100(rules: pd.DataFrame, totals: list[int]) -> None:
    said = outcome(weights_not_100, virtual_service_rules=rules)

    assert [each.observed.value for each in said.findings if each.observed] == totals


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        pytest.param(_split(100, None), 1, id="gets-nothing"),
        pytest.param(_split(None, None), 0, id="none-has-one"),
        pytest.param(_split(None), 0, id="the-only-one"),
        pytest.param(_split(100, 0), 0, id="zero-is-said"),
    ],
)
def test_destination_without_weight(rules: pd.DataFrame, found: int) -> None:
    assert len(outcome(destination_without_weight, virtual_service_rules=rules).findings) == found


ANY, API = None, '[{"uri":{"prefix":"/api"}}]'


@pytest.mark.parametrize(
    ("matches", "places"),
    [
        pytest.param((ANY, API), ["/spec/http/1"], id="behind-everything"),
        pytest.param((API, ANY), [], id="narrow-first"),
        pytest.param((API, API, ANY), ["/spec/http/1"], id="twice-the-same"),
        pytest.param(('[{"uri":{"prefix":"/"}}]', API), ["/spec/http/1"], id="every-path-is-everything"),
        pytest.param(('[{"uri":{"prefix":"/"},"port":80}]', API), [], id="on-one-port-is-not"),
        pytest.param(('[{"name":"all"}]', API), ["/spec/http/1"], id="a-name-is-no-condition"),
        pytest.param((API, '[{"uri":{"prefix":"/api"}},{"uri":{"prefix":"/b"}}]'), [], id="one-alternative-is-left"),
        pytest.param((API, '[{"uri":{"prefix":"/api/v1"}}]'), [], id="overlap-is-for-the-proxy-to-judge"),
        pytest.param(("no json", "no json"), ["/spec/http/1"], id="unreadable-and-the-same"),
    ],
)
def test_unreachable_rule(matches: tuple[str | None, ...], places: list[str]) -> None:
    said = outcome(unreachable_rule, virtual_service_rules=_rules(*({"match": each} for each in matches)))

    assert [each.evidence[0].pointer for each in said.findings] == places


@pytest.mark.parametrize(
    ("attempts", "per_try", "timeout", "found"),
    [
        pytest.param(3, 10.0, 30.0, 1, id="the-guide's-own"),
        pytest.param(2, 10.0, 30.0, 0, id="just-fits"),
        pytest.param(3, 10.0, None, 0, id="no-timeout"),
        pytest.param(3, 10.0, 0.0, 0, id="disabled"),
        pytest.param(3, None, 30.0, 0, id="tries-without-a-time"),
        pytest.param(None, 40.0, 30.0, 0, id="no-retries"),
    ],
)
def test_retries_exceed_timeout(attempts: int | None, per_try: float | None, timeout: float | None, found: int) -> None:
    rules = _rules({"attempts": attempts, "per_try_timeout_s": per_try, "timeout_s": timeout})

    assert len(outcome(retries_exceed_timeout, virtual_service_rules=rules).findings) == found


@pytest.mark.parametrize(
    ("fault", "idle", "active"),
    [
        pytest.param('{"delay":{"percentage":{"value":0}}}', 1, 0, id="the-guide's-own"),
        pytest.param('{"delay":{"fixedDelay":"5s","percentage":{"value":0}}}', 1, 0, id="for-nobody"),
        pytest.param('{"delay":{"fixedDelay":"5s","percentage":{}}}', 1, 0, id="zero-left-out"),
        pytest.param('{"delay":{"fixedDelay":"5s"}}', 0, 1, id="share-unsaid"),
        pytest.param('{"abort":{"httpStatus":503,"percentage":{"value":1}}}', 0, 1, id="aborts"),
        pytest.param('{"delay":{},"abort":{"httpStatus":503}}', 0, 1, id="one-of-two-injects"),
        pytest.param("[]", 0, 1, id="of-another-form"),
        pytest.param(None, 0, 0, id="none"),
    ],
)
def test_faults(fault: str | None, idle: int, active: int) -> None:
    rules = _rules({"fault": fault})

    assert len(outcome(fault_without_effect, virtual_service_rules=rules).findings) == idle
    assert len(outcome(fault_injected, virtual_service_rules=rules).findings) == active


TEMPLATE = """
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: payment-service-debug, namespace: shop}
spec:
  hosts: [payment-service]
  http:
  - match: [{headers: {debug: {exact: "true"}}}]
    route: [{destination: {host: payment-service, subset: debug}}]
    fault: {delay: {percentage: {value: 0}}}
  - route: [{destination: {host: payment-service, subset: production}}]
    timeout: 30s
    retries: {attempts: 3, perTryTimeout: 10s}
"""


def test_the_guide_s_own_template() -> None:
    assert [each.evidence[0].pointer for each in said_of(fault_without_effect, TEMPLATE).findings] == [
        "/spec/http/0/fault"
    ]
    assert [each.evidence[0].pointer for each in said_of(retries_exceed_timeout, TEMPLATE).findings] == ["/spec/http/1"]
    assert said_of(unreachable_rule, TEMPLATE).findings == ()


RULES = (weights_not_100, destination_without_weight, unreachable_rule, retries_exceed_timeout)


@pytest.mark.parametrize("check", [*RULES, fault_without_effect, fault_injected])
def test_rules_that_were_not_captured_or_are_none(check: Check) -> None:
    assert outcome(check).not_evaluated == "not captured: virtual_service_rules"
    assert outcome(check, virtual_service_rules=frame("virtual_service_rules")).findings == ()
