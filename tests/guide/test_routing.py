"""Routes and what they name."""

from meshforensics.recovery import Mesh
from tests.guide.settings import commands, manifests, parts, setting


def test_kinds_are_those_of_the_bundle() -> None:
    mesh = Mesh(kinds=("virtualservices.networking.istio.io",))

    assert commands("routing", setting(mesh=mesh))[0] == "kubectl get virtualservices.networking.istio.io -A"
    assert "destinationrules.networking.istio.io" in commands("routing")[0]


def test_a_file_is_tried_then_applied() -> None:
    said = [line for line in commands("validate") if "FILE" in line]

    assert [line.split()[1] for line in said] == ["analyze", "apply", "diff", "apply"]
    assert "--dry-run=server" in said[1]


def test_tracing_is_a_telemetry_of_the_release() -> None:
    assert manifests("debug-route")[2]["apiVersion"] == "telemetry.istio.io/v1"
    old = setting(mesh=Mesh(version=(1, 21)))
    assert manifests("debug-route", old)[2]["apiVersion"] == "telemetry.istio.io/v1alpha1"
    assert manifests("debug-route", old)[1]["apiVersion"] == "networking.istio.io/v1beta1"


def test_undoing_goes_the_other_way() -> None:
    last = parts("debug-route")[-1]

    assert isinstance(last, str)
    assert "route, then subset" in last
