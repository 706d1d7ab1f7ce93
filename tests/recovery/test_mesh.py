"""The names of a mesh, as a bundle tells them."""

from pathlib import Path

import pytest

from meshforensics.recovery import Mesh, Named, Resources, mesh_of
from tests.advice import judged


@pytest.fixture(scope="module")
def mesh(captures: Path) -> Mesh:
    case = judged(captures / "ca-rotation", "risk/ledger-v3-*")
    return mesh_of(case, case.hypotheses[0])


def named(namespace: str, name: str) -> Named:
    return Named(kind="Deployment", namespace=namespace, name=name)


def test_what_the_verdict_is_about(mesh: Mesh) -> None:
    assert mesh.workloads == (named("risk", "ledger-v3"),)
    assert [namespace for namespace, _ in mesh.pods] == ["risk"]
    assert mesh.refused == ()


def test_what_is_called_comes_before_what_calls_it(mesh: Mesh) -> None:
    names = [each.name for each in mesh.order]

    assert names == ["ledger-v3", "units-v3", "cart-v3", "menu-v3", "menu-v4", "desk-v3"]
    assert mesh.gateways == (named("istio-system", "istio-ingressgateway"),)


def test_control_plane_and_versions(mesh: Mesh) -> None:
    assert (mesh.system, mesh.root, mesh.signer) == ("istio-system", "istio-system", "")
    assert mesh.istiods == (named("istio-system", "istiod"),)
    assert (mesh.version, mesh.versions) == ((1, 28), ("1.28.1",))
    assert mesh.api("networking.istio.io") == "networking.istio.io/v1"


def test_roots_with_those_that_trust_them(mesh: Mesh) -> None:
    assert {serial[:8]: len(pods) for serial, pods in mesh.roots.items()} == {"754d7df2": 1, "1870318d": 7}


def test_labels_and_resources(mesh: Mesh) -> None:
    assert mesh.labels[named("risk", "ledger-v3")] == {"app": "ledger", "version": "v3"}
    assert mesh.resources[named("risk", "ledger-v3")] == Resources()


@pytest.mark.parametrize(
    ("version", "api"),
    [((1, 21), "security.istio.io/v1beta1"), ((1, 22), "security.istio.io/v1"), (None, "security.istio.io/v1")],
)
def test_the_form_of_an_api_goes_by_the_version(version: tuple[int, int] | None, api: str) -> None:
    assert Mesh(version=version).api("security.istio.io") == api


def test_what_the_bundle_has_goes_before_the_version() -> None:
    apis = {"security.istio.io": "security.istio.io/v1beta1"}

    assert Mesh(version=(1, 31), apis=apis).api("security.istio.io") == "security.istio.io/v1beta1"


def test_an_identity_is_that_of_the_workloads_that_run_as_it(captures: Path) -> None:
    case = judged(captures / "ca-rotation", "spiffe://former.example/ns/risk/sa/ledger", "spiffe://x/ns/../sa/y")

    made = mesh_of(case, case.hypotheses[0])

    assert (made.identities, made.domains) == ((named("risk", "ledger-v3"),), ("former.example",))
