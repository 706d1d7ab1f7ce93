"""Plans: every incident has one, in the order of what depends on what, with backups before changes."""

import re
import shlex
import subprocess
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshforensics.incidents import declared_incidents
from meshforensics.model import DeclarationError, Hypothesis, Missing, Plane, Standing, UnknownNameError
from meshforensics.recovery import (
    EVIDENCE_ONLY,
    OF_LINKERD,
    RECIPES,
    Command,
    Deed,
    Mesh,
    Plan,
    PlannedStep,
    Stage,
    declared_steps,
    ordered,
    plan_for,
    step,
)
from tests.recovery.situations import mesh
from tests.report.stand_in import StandIn, table
from tools.commands import commands_of, parts_of

each_recipe = pytest.mark.parametrize("incident", sorted(RECIPES))
KEEPING = {"keep-evidence", "capture-missing"}
GRAPH = [
    ("save-roots", "put-both-roots"), ("put-both-roots", "restart-istiod"), ("restart-istiod", "renew-refused"),
    ("renew-refused", "renew-others"), ("renew-others", "restart-gateways"), ("restart-gateways", "switch-signer"),
    ("switch-signer", "verify"), ("verify", "drop-old-root"), ("drop-old-root", "close-holes"),
    ("restore-objects", "restart-workloads"), ("restart-istiod", "restart-workloads"),
    ("restart-workloads", "restart-gateways"), ("authz-dry-run", "authz-delete"), ("save-objects", "authz-dry-run"),
    ("roll-back-control-plane", "restart-workloads"), ("make-new-root", "restart-istiod"),
]  # fmt: skip
"""Before and after, as recovery goes: state, then control, then what consumes them, the edge last."""


def verdict(incident: str, status: Standing = Standing.SUPPORTED, **more: Any) -> Hypothesis:
    return Hypothesis(incident=incident, status=status, confidence=1.0, **more)


def told(*hypotheses: Hypothesis, **frames: pd.DataFrame) -> StandIn:
    return StandIn(hypotheses=hypotheses, frames=frames)


def ids(plan: Plan) -> list[str]:
    return [each.step.id for each in plan.steps]


def test_every_incident_has_a_plan_and_no_other_has_one() -> None:
    assert set(RECIPES) == set(declared_incidents())


def test_every_step_is_of_some_plan_and_comes_after_known_ones() -> None:
    known = declared_steps()
    used = {name for recipe in (*RECIPES.values(), *OF_LINKERD.values(), EVIDENCE_ONLY) for name in recipe.steps}

    assert used == set(known)
    assert [(each.id, name) for each in known.values() for name in each.after if name not in known] == []


def test_a_step_says_when_and_what_it_risks() -> None:
    for each in declared_steps().values():
        assert each.title[0].isupper()
        assert not each.title.endswith(".")
        assert each.when.endswith(".")
        assert each.risk.endswith(".")


@each_recipe
def test_a_plan_obeys_the_graph(incident: str) -> None:
    order = ordered(RECIPES[incident].steps, declared_steps())

    assert sorted(order) == sorted(set(RECIPES[incident].steps))
    assert [pair for pair in GRAPH if set(pair) <= set(order) and order.index(pair[0]) > order.index(pair[1])] == []
    assert order[0] == "keep-evidence"


@each_recipe
@pytest.mark.parametrize("names", [Mesh(), mesh()], ids=["general", "named"])
def test_a_plan_is_made_with_backups_before_changes(incident: str, names: Mesh) -> None:
    from meshforensics.recovery import Situation, planned

    made = planned(RECIPES[incident], Situation(mesh=names, verdict=verdict(incident), paths=("x.zip",)))

    plan = Plan(verdict=verdict(incident), mesh=names, title="t", steps=made)  # refuses what is not saved before
    assert [each.step.id for each in plan.steps if not (each.deed.do and each.deed.verify and each.deed.undo)] == []


def test_a_change_of_what_was_not_saved_is_refused() -> None:
    @step("x", stage=Stage.STATE, plane="state", title="X", when="Now.", risk="All.")
    def careless(_: Any) -> Deed:
        return Deed(do=(), verify=(), undo=())

    deed = Deed(do=(Command(words=("kubectl", "delete", "x"), changes=("Secret:a/b",)),), verify=(), undo=())
    everything = Command(words=("kubectl", "get"), saves=("*",))

    for do in (deed.do, (everything, *deed.do)):
        with pytest.raises(DeclarationError, match="x changes Secret:a/b before it is saved"):
            Plan(
                verdict=verdict("healthy"),
                mesh=Mesh(),
                title="t",
                steps=(PlannedStep(step=careless, deed=Deed(do=do, verify=(), undo=())),),
            )


@pytest.mark.parametrize("status", [Standing.UNDETERMINED, Standing.REFUTED])
@each_recipe
def test_without_a_cause_evidence_is_kept_and_nothing_changed(incident: str, status: Standing) -> None:
    plan = plan_for(told(verdict(incident, status)))

    assert set(ids(plan)) == KEEPING
    assert [each for each in commands_of(part for one in plan.steps for part in one.parts) if each.changes] == []


def test_health_asks_for_nothing_but_keeping_the_bundle() -> None:
    assert ids(plan_for(told(verdict("healthy")))) == ["keep-evidence"]


def test_a_possible_verdict_is_settled_first() -> None:
    lacks = Missing(kind="envoy.certs", subject="shop/web-0", why="not captured")

    plan = plan_for(told(verdict("rbac-denied", Standing.POSSIBLE, missing=(lacks,))))

    assert ids(plan)[:2] == ["keep-evidence", "capture-missing"]
    assert plan.caution[0].startswith("rbac-denied is possible, not supported")
    assert plan.steps[1].deed.verify[0] == "It holds envoy.certs of shop/web-0; now: not captured."


def test_another_hypothesis_can_be_asked_for() -> None:
    case = told(verdict("upgrade-503"), verdict("config-rejected"))

    assert plan_for(case).also == ("config-rejected",)
    assert plan_for(case, incident="config-rejected").verdict.incident == "config-rejected"
    with pytest.raises(UnknownNameError, match="no incident 'nope'"):
        plan_for(case, incident="nope")


def test_steps_cover_the_four_planes() -> None:
    assert {each.plane for each in declared_steps().values()} == set(Plane)


@pytest.mark.parametrize("names", [Mesh(), mesh()], ids=["general", "named"])
def test_a_shell_reads_every_command_as_it_is_meant(names: Mesh) -> None:
    parts = [part for part in parts_of(names) if not isinstance(part, str)]

    done = subprocess.run(["bash", "-n"], input="\n".join(part.shell for part in parts).encode(), check=False)

    assert done.returncode == 0
    for command in commands_of(parts):
        line = command.shell.partition(" > ")[0] if command.into else command.shell
        words = [word for each in (command.words, *command.pipes) for word in ("|", *each)][1:]
        assert shlex.split(line) == words


HOSTILE = ["a; id", "$(id)", "`id`", "a\nid", "A", "-x", "'", "a|b", "a>b", "a b", "../x", "\x1b[2J", "NAMESPACE", ""]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_enters_no_command(name: str) -> None:
    subjects = (f"VirtualService:shop/{name}", f"VirtualService:{name}/cart", f"shop/{name}", f"{name}/web-0")

    plan = plan_for(told(verdict("upgrade-503", subjects=subjects)))

    assert plan.mesh.objects == ()
    assert plan.mesh.workloads == ()
    assert len(plan.mesh.refused) >= 2
    assert [each for each in plan.caution if each.startswith("left out")] != []


@settings(max_examples=25)
@given(st.text(max_size=30), st.text(max_size=30))
def test_names_in_commands_are_names(namespace: str, name: str) -> None:
    plan = plan_for(told(verdict("rbac-denied", subjects=(f"AuthorizationPolicy:{namespace}/{name}",))))

    for command in commands_of(part for each in plan.steps for part in each.parts):
        assert re.search(r"[\x00-\x1f]", command.shell) is None
    for each in plan.mesh.objects:
        assert re.fullmatch(r"[a-z0-9][-a-z0-9./]*", f"{each.namespace}/{each.name}")


PODS = [
    {"namespace": "shop", "pod": "web-5d8f7c9b4-x2x4z", "workload": "Deployment:shop/web", "labels": '{"app":"web"}'},
    {"namespace": "pay", "pod": "vault-0", "workload": "StatefulSet:pay/vault", "labels": '{"app":"vault"}'},
    {"namespace": "edge", "pod": "gw-5d8f7c9b4-x2x4z", "workload": "Deployment:edge/gw", "labels": "{}"},
]
PROXIES = [{"namespace": each["namespace"], "pod": each["pod"], "role": "sidecar"} for each in PODS[:2]] + [
    {"namespace": "edge", "pod": "gw-5d8f7c9b4-x2x4z", "role": "router"}
]
FRAMES = {
    "pods": table("pods", PODS),
    "proxies": table("proxies", PROXIES),
    "services": table("services", [{"namespace": "pay", "name": "vault", "selector": '{"app":"vault"}'}]),
}


def shells(plan: Plan, step: str) -> list[str]:
    planned = next(each for each in plan.steps if each.step.id == step)
    return [part.shell for part in planned.deed.do if isinstance(part, Command)]


def test_a_host_stands_for_what_serves_it_and_an_identity_for_nothing() -> None:
    subjects = ("shop/web-5d8f7c9b4-x2x4z", "vault.pay.svc.cluster.local", "spiffe://mesh/ns/pay/sa/vault")

    plan = plan_for(told(verdict("upstream-timeout", subjects=subjects), **FRAMES))

    assert [each.subject for each in plan.mesh.workloads] == ["Deployment:shop/web"]
    assert [each.subject for each in plan.mesh.servers] == ["StatefulSet:pay/vault"]
    assert plan.mesh.refused == ()
    assert shells(plan, "add-capacity")[1] == "kubectl -n pay scale sts/vault --replicas=REPLICAS"


def test_a_gateway_that_the_verdict_is_about_is_restarted_as_such() -> None:
    plan = plan_for(told(verdict("leaf-expired", subjects=("edge/gw-5d8f7c9b4-x2x4z",)), **FRAMES))

    assert shells(plan, "restart-workloads")[0] == "kubectl -n edge rollout restart deploy/gw"


def test_a_gateway_alone_is_no_reason_to_restart_others_first() -> None:
    plan = plan_for(told(verdict("ca-rotation", subjects=("edge/gw-5d8f7c9b4-x2x4z",)), **FRAMES))

    assert "renew-refused" not in ids(plan)
    assert "restart-gateways" in ids(plan)


def test_without_an_object_a_placeholder_of_any_kind_is_saved() -> None:
    plan = plan_for(told(verdict("rate-limited", subjects=("shop/web-5d8f7c9b4-x2x4z",)), **FRAMES))

    assert any("get KIND/OBJECT -o yaml" in line for line in shells(plan, "restore-objects"))
    assert {"KIND", "OBJECT"} <= {name for name, _ in plan.fill}
