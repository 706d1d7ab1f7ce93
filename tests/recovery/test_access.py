"""Policies are loosened one at a time, and saved before."""

import pytest

from meshforensics.recovery import Manifest
from tests.recovery.situations import deed, lines, mesh


@pytest.mark.parametrize(
    ("step", "change"),
    [
        ("authz-dry-run", "annotate authorizationpolicies.security.istio.io/deny-cart istio.io/dry-run=true"),
        ("authz-delete", "delete authorizationpolicies.security.istio.io/deny-cart"),
    ],
)
def test_the_policy_that_the_verdict_names_is_saved_then_changed(step: str, change: str) -> None:
    _, saved, changed = lines(deed(step).do)

    assert saved.startswith("kubectl -n shop get authorizationpolicies.security.istio.io/deny-cart -o yaml | sed")
    assert saved.endswith("> shop-deny-cart.yaml")
    assert changed == f"kubectl -n shop {change}"


def test_what_was_deleted_is_created_again() -> None:
    assert lines(deed("authz-delete").undo) == ["kubectl create -f shop-deny-cart.yaml"]


@pytest.mark.parametrize(("version", "api"), [((1, 31), "v1"), ((1, 20), "v1beta1")])
def test_the_overlay_selects_the_workload_by_its_labels(version: tuple[int, int], api: str) -> None:
    manifest = deed("authz-overlay", mesh(version=version)).do[0]

    assert isinstance(manifest, Manifest)
    assert manifest.documents == (
        {
            "apiVersion": f"security.istio.io/{api}",
            "kind": "AuthorizationPolicy",
            "metadata": {"name": "emergency-allow", "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "cart"}}, "action": "ALLOW", "rules": [{}]},
        },
    )


def test_permissive_is_for_one_workload() -> None:
    manifest = deed("mtls-permissive").do[0]

    assert isinstance(manifest, Manifest)
    assert manifest.documents[0]["spec"] == {
        "selector": {"matchLabels": {"app": "cart"}},
        "mtls": {"mode": "PERMISSIVE"},
    }


def test_a_workload_whose_labels_were_not_captured_gets_a_placeholder_that_matches_nothing_by_chance() -> None:
    manifest = deed("authz-overlay", mesh(labels={})).do[0]

    assert isinstance(manifest, Manifest)
    assert manifest.documents[0]["spec"]["selector"] == {"matchLabels": {"app": "WORKLOAD"}}
