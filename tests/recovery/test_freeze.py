"""Steps that keep and save."""

import subprocess

from meshforensics.recovery import declared_steps
from meshforensics.recovery.freeze import WITHOUT_VERSIONS
from tests.recovery.situations import CART, deed, lines, mesh, situation

LIST = """apiVersion: v1
items:
- apiVersion: networking.istio.io/v1
  kind: VirtualService
  metadata:
    name: cart
    resourceVersion: "12"
    uid: abc
  spec:
    http:
    - headers: {request: {set: {uid: kept}}}
      match:
      - uri:
          resourceVersion: kept
kind: List
metadata:
  resourceVersion: ""
"""


def test_saved_objects_lose_what_ties_them_to_one_state_of_the_server() -> None:
    said = subprocess.run(WITHOUT_VERSIONS, input=LIST.encode(), capture_output=True, check=True).stdout.decode()

    assert [line for line in LIST.splitlines() if line not in said.splitlines()] == [
        '    resourceVersion: "12"',
        "    uid: abc",
        '  resourceVersion: ""',
    ]


def test_only_the_kinds_that_there_are_are_saved_for_an_unknown_one_makes_kubectl_fail() -> None:
    said = lines(deed("save-objects").do)

    assert said[1].startswith(
        "kubectl get virtualservices.networking.istio.io,destinationrules.networking.istio.io,"
        "authorizationpolicies.security.istio.io -A -o yaml | sed"
    )
    assert "envoyfilters.networking.istio.io" in lines(deed("save-objects", mesh(kinds=(), objects=())).do)[1]


def test_only_deployments_are_paused() -> None:
    made = declared_steps()["pause-rollouts"].make(
        type(situation())(mesh=mesh(), verdict=situation().verdict, paths=("x",), paused=(CART,))
    )

    assert made is not None
    assert lines(made.do)[-1] == "kubectl -n shop rollout pause deploy/cart"
    assert lines(made.undo)[0] == "kubectl -n shop rollout resume deploy/cart"
