"""Which lists there are, in which phase, and which config maps are a mesh's own."""

from typing import Any

from meshforensics.capture._ask import Stage
from meshforensics.capture._lists import ASKED, Listing, revisions_of, stage_of
from meshforensics.formats.kubernetes import decode
from tests.replay.evidence import listed, pod


def istiod(name: str, revision: str) -> dict[str, Any]:
    body = {**pod(name, "istio-system"), "spec": {"containers": [{"name": "discovery"}]}}
    body["metadata"]["labels"] = {"app": "istiod", "istio.io/rev": revision}
    return body


def test_the_config_maps_of_every_revision_that_runs() -> None:
    pods = decode(listed("Pod", istiod("a", "default"), istiod("b", "1-27"), istiod("c", "canary"), pod("web-1")))
    maps = next(each for each in ASKED if each.plural == "configmaps")

    asked = list(Listing(resource=maps, version="v1", revisions=revisions_of(pods)).queries())

    names = {each["fieldSelector"].removeprefix("metadata.name=") for each in asked}
    assert revisions_of(pods) == ("1-27", "canary")
    assert names >= {"istio", "istio-1-27", "istio-sidecar-injector-canary", "istio-ca-root-cert", "values"}


def test_phases_of_lists() -> None:
    stages = {each.plural: stage_of(each) for each in ASKED}

    assert {stages[plural] for plural in ("pods", "nodes", "namespaces", "events")} == {Stage.HEALTH}
    assert {stages[plural] for plural in ("services", "deployments", "virtualservices", "gateways")} == {Stage.TRAFFIC}
    assert {stages[plural] for plural in ("secrets", "peerauthentications", "networkpolicies", "configmaps")} == {
        Stage.ACCESS
    }


def test_every_group_of_a_mesh_is_listed() -> None:
    groups = {each.group for each in ASKED}

    assert groups >= {
        "networking.istio.io", "security.istio.io", "telemetry.istio.io", "extensions.istio.io",
        "gateway.networking.k8s.io", "linkerd.io", "policy.linkerd.io", "networking.k8s.io", "metrics.k8s.io",
    }  # fmt: skip
