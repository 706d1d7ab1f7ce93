"""The names of a mesh, as a bundle tells them."""

from pathlib import Path

import pytest

from meshforensics.recovery import Mesh, Named, Resources, mesh_of
from tests.advice import judged


@pytest.fixture(scope="module")
def mesh(captures: Path) -> Mesh:
    case = judged(captures / "ca-rotation", "travel/pricing-v1-*", "travel/pricing-v2-*")
    return mesh_of(case, case.hypotheses[0])


def named(namespace: str, name: str) -> Named:
    return Named(kind="Deployment", namespace=namespace, name=name)


def test_what_the_verdict_is_about(mesh: Mesh) -> None:
    assert mesh.workloads == (named("travel", "pricing-v1"), named("travel", "pricing-v2"))
    assert [namespace for namespace, _ in mesh.pods] == ["travel", "travel"]
    assert mesh.refused == ()


def test_what_is_called_comes_before_what_calls_it(mesh: Mesh) -> None:
    names = [each.name for each in mesh.order]

    assert names == ["seats-v1", "pricing-v1", "pricing-v2", "booking-v1", "search-v1", "search-v2", "web-v1"]
    assert mesh.gateways == (named("istio-system", "istio-ingressgateway"),)


def test_control_plane_and_versions(mesh: Mesh) -> None:
    assert (mesh.system, mesh.root, mesh.signer) == ("istio-system", "istio-system", "cacerts")
    assert mesh.istiods == (named("istio-system", "istiod"),)
    assert (mesh.version, mesh.versions) == ((1, 31), ("1.31.0",))
    assert mesh.api("networking.istio.io") == "networking.istio.io/v1"


def test_roots_with_those_that_trust_them(mesh: Mesh) -> None:
    assert {serial[:8]: len(pods) for serial, pods in mesh.roots.items()} == {"2d23a66a": 2, "5c443ed1": 6}


def test_labels_and_resources(mesh: Mesh) -> None:
    assert mesh.labels[named("travel", "pricing-v1")] == {"app": "pricing", "version": "v1"}
    assert mesh.resources[named("travel", "pricing-v1")] == Resources()


@pytest.mark.parametrize(
    ("version", "api"),
    [((1, 21), "security.istio.io/v1beta1"), ((1, 22), "security.istio.io/v1"), (None, "security.istio.io/v1")],
)
def test_the_form_of_an_api_goes_by_the_version(version: tuple[int, int] | None, api: str) -> None:
    assert Mesh(version=version).api("security.istio.io") == api


def test_what_the_bundle_has_goes_before_the_version() -> None:
    apis = {"security.istio.io": "security.istio.io/v1beta1"}

    assert Mesh(version=(1, 31), apis=apis).api("security.istio.io") == "security.istio.io/v1beta1"
