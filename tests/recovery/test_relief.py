"""Room and less load, for the names that the verdict gives."""

import json
import shlex

import pytest

from meshforensics.recovery import Resources
from tests.recovery.situations import CART, deed, lines, mesh


def test_the_memory_limit_is_doubled_and_the_rest_said_too() -> None:
    held = Resources(cpu_request_m=50, memory_limit_bytes=512 * 2**20)

    line = lines(deed("raise-memory-limit", mesh(resources={CART: held})).do)[0]

    *command, patch = shlex.split(line)
    assert command == ["kubectl", "-n", "shop", "patch", "deploy/cart", "--type=merge", "-p"]
    assert json.loads(patch)["spec"]["template"]["metadata"]["annotations"] == {
        "sidecar.istio.io/proxyCPU": "50m",
        "sidecar.istio.io/proxyCPULimit": "2000m",
        "sidecar.istio.io/proxyMemory": "128Mi",
        "sidecar.istio.io/proxyMemoryLimit": "1024Mi",
    }


def test_memory_is_followed_in_the_pods_that_grow() -> None:
    assert lines(deed("watch-memory").do) == [
        "meshforensics capture --pod shop/cart-5d8f7c9b4-x2x4z --watch 2h --every 10m -o series.zip"
    ]


def test_replicas_are_noted_before_they_are_changed() -> None:
    assert lines(deed("add-capacity").do) == [
        "kubectl -n shop get deploy/cart -o wide",
        "kubectl -n shop scale deploy/cart --replicas=REPLICAS",
    ]


@pytest.mark.parametrize("step", ["shift-traffic", "raise-pool", "bring-hosts-back", "scope-configuration"])
def test_a_file_is_tried_before_it_is_applied_and_can_be_taken_back(step: str) -> None:
    said = lines(deed(step).do)

    assert said[-1] == "kubectl apply -f FILE"
    assert said[-2] in {"kubectl diff -f FILE", "kubectl apply --dry-run=server -f FILE"}
    assert lines(deed(step).undo) == ["kubectl apply -f mesh-objects.yaml"]


@pytest.mark.parametrize("step", ["raise-pool", "bring-hosts-back"])
def test_the_rule_that_the_verdict_names_is_looked_at(step: str) -> None:
    said = lines(deed(step).do)

    assert "kubectl -n shop get destinationrules.networking.istio.io/cart -o yaml --show-managed-fields" in "\n".join(
        said
    )
