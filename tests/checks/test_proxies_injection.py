"""Injection: who got no sidecar, one of another revision or version, one without limits; pods not created."""

import json
from pathlib import Path

import pandas as pd
import pytest

from meshforensics.checks.proxies_injection import (
    injection_fails,
    no_cpu_limit,
    no_memory_limit,
    other_revision,
    pods_refused,
    sidecar_missing,
    version_skew,
)
from meshforensics.model import Severity
from meshforensics.testing import frame, outcome
from tests.checks.objects import said_of_frames
from tests.conftest import Opened

pytestmark = pytest.mark.usefixtures("untraced")

NOON = pd.Timestamp("2026-01-01T12:00:00Z")


def _pod(**values: object) -> pd.DataFrame:
    texts = {name: json.dumps(value) for name, value in values.items() if name in {"labels", "annotations"}}
    given = {"namespace": "shop", "pod": "web-1", "phase": "Running", "injected": False, "host_network": False}
    return frame("pods", **{name: [value] for name, value in {**given, **values, **texts}.items()})


def _namespace(**values: object) -> pd.DataFrame:
    return frame("namespaces", **{name: [value] for name, value in {"namespace": "shop", **values}.items()})


@pytest.mark.parametrize(
    ("pod", "namespace", "asked_by"),
    [
        pytest.param({}, {"injection": "enabled"}, "namespace shop (injection enabled)", id="namespace-label"),
        pytest.param({}, {"revision": "canary"}, "namespace shop (revision canary)", id="namespace-revision"),
        pytest.param({"labels": {"sidecar.istio.io/inject": "true"}}, {}, "the pod itself", id="own-label"),
        pytest.param({"annotations": {"linkerd.io/inject": "enabled"}}, {}, "the pod itself", id="linkerd"),
        pytest.param(
            {"phase": "Pending"}, {"injection": "enabled"}, "namespace shop (injection enabled)", id="pending"
        ),
        pytest.param({}, {}, None, id="nobody-asks"),
        pytest.param({}, {"dataplane_mode": "ambient"}, None, id="ambient"),
        pytest.param({}, {"injection": "disabled", "revision": "canary"}, None, id="namespace-says-no"),
        pytest.param({"injected": True}, {"injection": "enabled"}, None, id="has-one"),
        pytest.param({"injected": None}, {"injection": "enabled"}, None, id="not-told"),
        pytest.param(
            {"labels": {"sidecar.istio.io/inject": "false"}}, {"injection": "enabled"}, None, id="the-pod-says-no"
        ),
        pytest.param(
            {"annotations": {"sidecar.istio.io/inject": "False"}}, {"injection": "enabled"}, None, id="it-notes-no"
        ),
        pytest.param({"host_network": True}, {"injection": "enabled"}, None, id="on-the-network-of-its-node"),
        pytest.param({"owner": "Node:worker-1"}, {"injection": "enabled"}, None, id="static-pod"),
        pytest.param({"phase": "Succeeded"}, {"injection": "enabled"}, None, id="finished-job"),
        pytest.param({"deleting": True}, {"injection": "enabled"}, None, id="going"),
    ],
)
def test_sidecar_missing(pod: dict[str, object], namespace: dict[str, object], asked_by: str | None) -> None:
    said = outcome(sidecar_missing, pods=_pod(**pod), namespaces=_namespace(**namespace)).findings

    assert [each.observed and each.observed.value for each in said] == ([asked_by] if asked_by else [])


STATUS = {"sidecar.istio.io/status": json.dumps({"revision": "1-26"})}
HOOKS = frame("webhooks", name=["a", "b", "c"], revision=["1-26", "1-27", "1-27"], tag=[None, None, "stable"])


@pytest.mark.parametrize(
    ("pod", "namespace", "found"),
    [
        pytest.param({"annotations": STATUS}, {"revision": "1-27"}, ("1-27", "1-26"), id="the-old-one"),
        pytest.param({"annotations": STATUS}, {"revision": "stable"}, ("stable", "1-26"), id="a-tag-moved"),
        pytest.param({"annotations": STATUS}, {"revision": "1-26"}, None, id="the-same"),
        pytest.param({"annotations": STATUS}, {"revision": "unknown"}, None, id="no-webhook-of-that-name"),
        pytest.param(
            {"annotations": STATUS, "labels": {"istio.io/rev": "1-27"}},
            {"revision": "1-26"},
            ("1-27", "1-26"),
            id="the-pod-asks-first",
        ),
        pytest.param({"annotations": {}}, {"revision": "1-27"}, None, id="who-injected-is-not-told"),
        pytest.param({"annotations": STATUS}, {}, None, id="no-revision-asked-for"),
        pytest.param({"annotations": STATUS, "deleting": True}, {"revision": "1-27"}, None, id="going"),
    ],
)
def test_other_revision(pod: dict[str, object], namespace: dict[str, object], found: tuple[str, str] | None) -> None:
    said = outcome(
        other_revision, pods=_pod(injected=True, **pod), namespaces=_namespace(**namespace), webhooks=HOOKS
    ).findings

    assert [each.detail for each in said] == (
        [f"1 pod, shop/web-1, has a sidecar of revision {found[1]} where {found[0]} is asked for"] if found else []
    )


def _skewed(proxy: str, *istiods: str, connected: str = "") -> list[tuple[Severity, object]]:
    proxies = frame("proxies", namespace=["shop"], pod=["web-1"], version=[proxy])
    named = {"namespace": ["istio-system"] * len(istiods), "pod": [f"istiod-{n}" for n in range(len(istiods))]}
    versions = frame("control_plane_versions", **named, version=list(istiods))
    sync = frame("xds_sync", namespace=["shop"], pod=["web-1"], istiod=[connected])
    given = {"proxies": proxies, "control_plane_versions": versions, **({"xds_sync": sync} if connected else {})}
    found = said_of_frames(version_skew, given).findings
    return [(each.severity, each.observed and each.observed.value) for each in found]


@pytest.mark.parametrize(
    ("proxy", "istiods", "connected", "found"),
    [
        pytest.param("1.27.3", ["1.27.1"], "", [], id="patches-are-no-skew"),
        pytest.param("1.26.4", ["1.27.1"], "", [(Severity.INFO, 1)], id="one-behind-is-supported"),
        pytest.param("1.25.4", ["1.27.1"], "", [(Severity.WARNING, 2)], id="two-behind"),
        pytest.param("1.28.0", ["1.27.1"], "", [(Severity.WARNING, 2)], id="a-newer-proxy-is-not-supported"),
        pytest.param("1.26.4", ["1.27.1", "1.26.4"], "", [], id="two-control-planes-and-not-told-which"),
        pytest.param("1.26.4", ["1.27.1", "1.26.4"], "istio-system/istiod-1", [], id="its-own"),
        pytest.param(
            "1.26.4",
            ["1.27.1", "1.26.4"],
            "istio-system/istiod-0",
            [(Severity.INFO, 1)],
            id="the-one-it-is-connected-to",
        ),
        pytest.param("v1.25.0-asm.1", ["1.27-dev"], "", [(Severity.WARNING, 2)], id="vendors-and-builds"),
        pytest.param("abcdef", ["1.27.1"], "", [], id="no-version"),
        pytest.param("2.0.0", ["1.27.1"], "", [], id="another-major-has-no-distance"),
    ],
)
def test_version_skew(proxy: str, istiods: list[str], connected: str, found: list[tuple[Severity, object]]) -> None:
    assert _skewed(proxy, *istiods, connected=connected) == found


@pytest.mark.parametrize(
    ("container", "memory", "cpu"),
    [
        pytest.param({"memory_limit_bytes": 2**30, "cpu_limit_m": 2000}, 0, 0, id="both"),
        pytest.param({"memory_limit_bytes": 2**30}, 0, 1, id="no-cpu"),
        pytest.param({"cpu_limit_m": 2000}, 1, 0, id="no-memory"),
        pytest.param({"container": "ztunnel"}, 0, 0, id="its-chart-sets-none"),
        pytest.param({"container": "app"}, 0, 0, id="no-sidecar"),
        pytest.param({"state": "terminated"}, 0, 0, id="ended"),
    ],
)
def test_limits(container: dict[str, object], memory: int, cpu: int) -> None:
    given = {"namespace": "shop", "pod": "web-1", "container": "istio-proxy", "state": "running", **container}
    containers = frame("containers", **{name: [value] for name, value in given.items()})

    assert len(outcome(no_memory_limit, containers=containers).findings) == memory
    assert len(outcome(no_cpu_limit, containers=containers).findings) == cpu


def test_a_real_mesh_of_three_releases(corpus: Path, opened: Opened) -> None:
    case = opened(corpus / "bugreport" / "istio_2023-09_bug-report.tar.gz")
    found = [each for each in case.findings if each.check.startswith(("proxies.", "control-plane."))]

    assert [(each.check, each.severity, len(each.subjects)) for each in found] == [
        ("proxies.no-memory-limit", Severity.WARNING, 1),
        ("proxies.version-skew", Severity.WARNING, 4),
        ("proxies.no-cpu-limit", Severity.INFO, 1),
        ("proxies.version-skew", Severity.INFO, 1),
    ]


def test_without_their_tables_they_are_not_evaluated() -> None:
    reasons = {
        check.id: outcome(check, at=NOON).not_evaluated
        for check in (sidecar_missing, other_revision, version_skew, no_memory_limit, no_cpu_limit)
    }

    assert reasons == {
        "proxies.sidecar-missing": "not captured: pods; not captured: namespaces",
        "proxies.other-revision": "not captured: pods; not captured: namespaces; not captured: webhooks",
        "proxies.version-skew": "not captured: proxies; not captured: control_plane_versions",
        "proxies.no-memory-limit": "not captured: containers",
        "proxies.no-cpu-limit": "not captured: containers",
    }


DENIED = 'Error creating: admission webhook "policy.example.com" denied the request: NET_ADMIN'
NO_INJECTOR = (
    'Error creating: Internal error occurred: failed calling webhook "namespace.sidecar-injector.istio.io": '
    'Post "https://istiod.istio-system.svc:443/inject": no endpoints available for service "istiod"'
)


def _events(*messages: str, at: pd.Timestamp = NOON, reason: str = "FailedCreate") -> pd.DataFrame:
    return frame(
        "events",
        event=[f"shop/web-{number}.1" for number in range(len(messages))],
        at=[at] * len(messages),
        reason=[reason] * len(messages),
        object=[f"ReplicaSet:shop/web-{number}" for number in range(len(messages))],
        message=list(messages),
    )


def test_pods_that_one_policy_refuses_are_one_finding() -> None:
    said = outcome(pods_refused, at=NOON, events=_events(DENIED, DENIED, "Error creating: exceeded quota: small"))

    assert sorted(each.subjects for each in said.findings) == [
        ("ReplicaSet:shop/web-0", "ReplicaSet:shop/web-1"),
        ("ReplicaSet:shop/web-2",),
    ]


def test_an_injector_that_does_not_answer_is_told_apart() -> None:
    events = _events(DENIED, NO_INJECTOR)

    refused = outcome(pods_refused, at=NOON, events=events)
    silent = outcome(injection_fails, at=NOON, events=events)

    assert [each.subjects for each in refused.findings] == [("ReplicaSet:shop/web-0",)]
    assert [(each.subjects, each.severity) for each in silent.findings] == [(("ReplicaSet:shop/web-1",), "error")]


@pytest.mark.parametrize(
    ("events", "found"),
    [
        pytest.param(_events(DENIED, at=NOON - pd.Timedelta(seconds=1200)), 1, id="tries-again-after-1000-s"),
        pytest.param(_events(DENIED, at=NOON - pd.Timedelta(seconds=1201)), 0, id="long-ago"),
        pytest.param(_events(DENIED, reason="SuccessfulCreate"), 0, id="created"),
        pytest.param(_events(), 0, id="no-events"),
    ],
)
def test_pods_refused(events: pd.DataFrame, found: int) -> None:
    assert len(outcome(pods_refused, at=NOON, events=events).findings) == found


def test_without_events_nothing_is_said_of_refused_pods() -> None:
    assert outcome(pods_refused, at=NOON).not_evaluated == "not captured: events"
    assert outcome(injection_fails, at=NOON).not_evaluated == "not captured: events"
