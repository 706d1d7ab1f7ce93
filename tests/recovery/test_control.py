"""istiod: looked at first, restarted only where that helps."""

import pytest

from meshforensics.recovery import Named
from tests.recovery.situations import deed, lines, mesh

CANARY = Named(kind="Deployment", namespace="mesh", name="istiod-1-31")


def test_every_istiod_of_the_bundle_is_restarted_and_waited_for() -> None:
    said = lines(deed("restart-istiod", mesh(system="mesh", istiods=(CANARY,))).do)

    assert said == [
        "kubectl -n mesh rollout restart deploy/istiod-1-31",
        "kubectl -n mesh rollout status deploy/istiod-1-31 --timeout=10m",
    ]


@pytest.mark.parametrize(
    ("version", "tag"), [((1, 31), "istioctl tag"), ((1, 10), "istioctl x revision tag"), (None, "istioctl tag")]
)
def test_tags_are_set_as_that_istioctl_calls_it(version: tuple[int, int] | None, tag: str) -> None:
    said = lines(deed("roll-back-control-plane", mesh(version=version)).do)

    assert said == [f"{tag} list", f"{tag} set TAG --revision REVISION --overwrite"]


def test_a_push_is_caused_by_a_change_and_by_no_invented_command() -> None:
    said = lines(deed("push-again").do)

    assert said == ["kubectl -n shop annotate virtualservices.networking.istio.io/cart pushed-again=1 --overwrite"]


def test_looking_changes_nothing() -> None:
    assert [line.split()[3] for line in lines(deed("look-at-istiod").do)] == ["get", "top", "logs", "describe"]


def test_replicas_are_left_to_the_reader() -> None:
    assert "kubectl -n istio-system scale deploy/istiod --replicas=REPLICAS" in lines(deed("grow-istiod").do)


def test_where_the_verdict_names_no_object_one_near_it_is_annotated() -> None:
    far, near = (Named(kind="VirtualService", namespace=space, name="any") for space in ("a", "shop"))

    said = lines(deed("push-again", mesh(objects=(), routes=(far, near))).do)

    assert said == ["kubectl -n shop annotate virtualservices.networking.istio.io/any pushed-again=1 --overwrite"]
