"""Pushes, limits, tracing."""

import json
import shlex

from meshforensics.recovery import Manifest, Mesh, Named, Resources
from tests.guide.settings import ROUTE, commands, manifests, parts, service, setting

CART = Named(kind="Deployment", namespace="shop", name="cart")


def test_a_push_follows_a_change_of_the_object_that_is_there() -> None:
    said = commands("forced-sync", setting(service(route=ROUTE)))

    assert said[1].startswith("kubectl -n shop annotate virtualservices.networking.istio.io/cart-route")
    assert not any("force_update" in line for line in said)


def test_limits_are_said_as_they_are() -> None:
    mesh = Mesh(resources={CART: Resources(memory_limit_bytes=512 * 2**20)})

    manifest = next(part for part in parts("sidecar-limits", setting(mesh=mesh)) if isinstance(part, Manifest))

    annotations = manifest.documents[0]["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {
        "sidecar.istio.io/proxyCPU": "100m",
        "sidecar.istio.io/proxyCPULimit": "2000m",
        "sidecar.istio.io/proxyMemory": "128Mi",
        "sidecar.istio.io/proxyMemoryLimit": "512Mi",
    }
    assert json.loads(json.dumps(annotations)) == annotations


def test_the_patch_is_of_the_workload() -> None:
    words = shlex.split(commands("sidecar-limits")[1])

    assert words == [
        "kubectl",
        "-n",
        "shop",
        "patch",
        "deploy/cart",
        "--type=merge",
        "--patch-file",
        "shop-cart-limits.yaml",
    ]


def test_tracing_is_switched_off_again() -> None:
    (telemetry,) = manifests("debug-tracing")

    assert telemetry["spec"]["selector"] == {"matchLabels": {"app": "cart"}}
    assert commands("debug-tracing")[-1] == "kubectl -n shop delete telemetries.telemetry.istio.io cart-tracing"
