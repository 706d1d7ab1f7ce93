"""The end of a plan."""

from tests.recovery.situations import deed, lines


def test_what_was_saved_is_held_against_what_is_there() -> None:
    said = lines(deed("close-holes").do)

    assert "diff -u mesh-objects.yaml mesh-objects-after.yaml" in said
    assert said[0].startswith("kubectl get authorizationpolicies.security.istio.io,peerauthentications")


def test_the_mesh_is_captured_and_judged_again() -> None:
    assert lines(deed("verify").do)[:2] == [
        "meshforensics capture -o after.zip",
        "meshforensics triage after.zip",
    ]
