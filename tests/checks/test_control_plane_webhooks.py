"""Webhooks of a mesh: do they answer, can they be trusted, what did they refuse."""

import pandas as pd
import pytest

from meshforensics.checks.control_plane_webhooks import (
    admission_errors,
    validation_failures,
    webhook_ca_mismatch,
    webhook_ca_missing,
    webhook_fails,
    webhook_ignored,
    webhook_not_patched,
    webhook_without_endpoints,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.objects import said_of_frames
from tests.checks.test_control_plane_pushes import counts

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
HOOK = "rev.namespace.sidecar-injector.istio.io"
VALIDATOR = 'failed calling webhook "validation.istio.io": Post "https://istiod.istio-system.svc:443/validate": EOF'


@pytest.mark.parametrize(
    ("message", "minutes", "found"),
    [
        pytest.param(VALIDATOR, 15, 1, id="inside-the-window"),
        pytest.param(VALIDATOR, 16, 0, id="before-it"),
        pytest.param(f'failed calling webhook "{HOOK}": EOF', 1, 0, id="the-injector-is-a-finding-of-its-own"),
        pytest.param('failed calling webhook "policy.example.com": EOF', 1, 0, id="not-of-the-mesh"),
        pytest.param('admission webhook "validation.istio.io" denied the request', 1, 0, id="it-answered"),
    ],
)
def test_webhook_fails(message: str, minutes: int, found: int) -> None:
    at = NOON - pd.Timedelta(minutes=minutes)
    events = frame("events", at=[at], object=["Kustomization:flux/mesh"], message=[message])

    assert len(outcome(webhook_fails, at=NOON, events=events).findings) == found


def _webhooks(**values: object) -> pd.DataFrame:
    given = {
        "name": HOOK,
        "object": "MutatingWebhookConfiguration:istio-sidecar-injector",
        "service": "istio-system/istiod:443/inject",
        "failure_policy": "Fail",
        "ca_bundle": True,
        **values,
    }
    return frame("webhooks", **{name: [value] for name, value in given.items()})


SERVICES = frame("services", namespace=["istio-system"], name=["istiod"])


def _endpoints(*ready: bool, item: str = "kubernetes.endpointslices.discovery.k8s.io:-@unknown") -> pd.DataFrame:
    """Endpoints of istiod, beside one of another service."""
    services = ["istiod"] * len(ready) + ["web"]
    return frame(
        "service_endpoints",
        namespace=["istio-system"] * len(services),
        service=services,
        address=[f"10.1.0.{number}:15017" for number in range(len(services))],
        ready=[*ready, True],
        item=[item] * len(services),
    )


@pytest.mark.parametrize(
    ("webhooks", "endpoints", "closed", "open_"),
    [
        pytest.param(_webhooks(), _endpoints(False), 1, 0, id="not-ready"),
        pytest.param(_webhooks(), _endpoints(), 1, 0, id="no-endpoint"),
        pytest.param(_webhooks(), _endpoints(False, True), 0, 0, id="one-is-ready"),
        pytest.param(_webhooks(failure_policy="Ignore"), _endpoints(False), 0, 1, id="fails-open"),
        pytest.param(_webhooks(name="policy.example.com"), _endpoints(False), 0, 0, id="not-of-the-mesh"),
        pytest.param(_webhooks(service="other/istiod:443/inject"), _endpoints(), 0, 0, id="a-service-not-listed"),
        pytest.param(_webhooks(service=None), _endpoints(), 0, 0, id="by-url"),
        pytest.param(_webhooks(), _endpoints(item="kubernetes.endpointslices:shop@x"), 0, 0, id="one-namespace-only"),
    ],
)
def test_nobody_answers(webhooks: pd.DataFrame, endpoints: pd.DataFrame, closed: int, open_: int) -> None:
    given = {"webhooks": webhooks, "services": SERVICES, "service_endpoints": endpoints}

    assert [each.severity for each in said_of_frames(webhook_without_endpoints, given).findings] == [
        Severity.ERROR
    ] * closed
    assert [each.severity for each in said_of_frames(webhook_ignored, given).findings] == [Severity.WARNING] * open_


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param({"ca_bundle": False}, 1, id="empty"),
        pytest.param({"ca_bundle": True}, 0, id="there"),
        pytest.param({"ca_bundle": None}, 0, id="not-told"),
        pytest.param({"ca_bundle": False, "service": None}, 0, id="by-url-with-public-roots"),
        pytest.param({"ca_bundle": False, "name": "policy.example.com"}, 0, id="not-of-the-mesh"),
    ],
)
def test_webhook_ca_missing(values: dict[str, object], found: int) -> None:
    assert len(outcome(webhook_ca_missing, webhooks=_webhooks(**values)).findings) == found


def _certificates(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Rows of (place, key, days that it has left)."""
    count = len(rows)
    return frame(
        "certificates",
        subject_id=["MutatingWebhookConfiguration:istio-sidecar-injector"] * count,
        place=[place for place, _, _ in rows],
        role=["root"] * count,
        spki=[key for _, key, _ in rows],
        fingerprint=[key for _, key, _ in rows],
        not_after=[NOON + pd.Timedelta(days=days) for _, _, days in rows],
    )


ROOT = "configmap:shop/istio-ca-root-cert"


@pytest.mark.parametrize(
    ("certificates", "webhooks", "found"),
    [
        pytest.param([(ROOT, "a", 9), (f"webhook:{HOOK}", "b", 9)], {}, 1, id="another-key"),
        pytest.param([(ROOT, "a", 9), (f"webhook:{HOOK}", "a", 9)], {}, 0, id="the-same-key"),
        pytest.param(
            [(ROOT, "a", 9), (ROOT, "b", 9), (f"webhook:{HOOK}", "b", 9)], {}, 0, id="one-of-two-roots-in-a-rotation"
        ),
        pytest.param(
            [(ROOT, "a", 9), (f"webhook:{HOOK}", "a", 9), (f"webhook:{HOOK}", "b", 9)], {}, 0, id="and-an-old-one"
        ),
        pytest.param([(f"webhook:{HOOK}", "b", 9)], {}, 0, id="the-mesh-root-was-not-captured"),
        pytest.param(
            [(ROOT, "a", 9), (f"webhook:{HOOK}", "b", 9)], {"service": "x/other:443/y"}, 0, id="not-istiods-service"
        ),
    ],
)
def test_webhook_ca_mismatch(
    certificates: list[tuple[str, str, float]], webhooks: dict[str, object], found: int
) -> None:
    said = outcome(
        webhook_ca_mismatch, certificates=_certificates(*certificates), webhooks=_webhooks(**webhooks)
    ).findings

    assert [each.severity for each in said] == [Severity.WARNING] * found


@pytest.mark.parametrize(
    ("name", "labels", "found"),
    [
        ("webhook_patch_failures_total", '{"name":"x","reason":"webhook_update_failure"}', 1),
        ("webhook_patch_failures_total", '{"name":"x","reason":"webhook_config_not_found"}', 0),
        ("galley_validation_config_update_error", '{"reason":"Forbidden"}', 1),
        ("galley_validation_config_update_error", '{"reason":"Conflict"}', 0),
    ],
)
def test_webhook_not_patched(name: str, labels: str, found: int) -> None:
    told = counts((name, labels, None, 1))

    assert len(outcome(webhook_not_patched, at=NOON, istiod_counts_over_time=told).findings) == found


@pytest.mark.parametrize(("rose", "found"), [(2, 1), (0, 0)], ids=["refused", "none"])
def test_validation_failures(rose: int, found: int) -> None:
    labels = '{"reason":"invalid_resource","resource":"virtualservices"}'
    told = counts(("galley_validation_failed", labels, None, rose))

    said = outcome(validation_failures, at=NOON, istiod_counts_over_time=told).findings

    assert [each.severity for each in said] == [Severity.INFO] * found


@pytest.mark.parametrize(("rose", "found"), [(1, 1), (0, 0)], ids=["failed", "none"])
def test_admission_errors(rose: int, found: int) -> None:
    told = counts(("sidecar_injection_failure_total", "{}", None, rose))

    assert len(outcome(admission_errors, at=NOON, istiod_counts_over_time=told).findings) == found


def test_without_their_tables_they_are_not_evaluated() -> None:
    nobody = "not captured: webhooks; not captured: services; not captured: service_endpoints"
    reasons = {
        webhook_fails: "not captured: events",
        webhook_without_endpoints: nobody,
        webhook_ignored: nobody,
        webhook_ca_missing: "not captured: webhooks",
        webhook_ca_mismatch: "not captured: certificates; not captured: webhooks",
        webhook_not_patched: "not captured: istiod_counts",
        validation_failures: "not captured: istiod_counts",
        admission_errors: "not captured: istiod_counts",
    }

    assert {check.id: outcome(check, at=NOON).not_evaluated for check in reasons} == {
        check.id: reason for check, reason in reasons.items()
    }
