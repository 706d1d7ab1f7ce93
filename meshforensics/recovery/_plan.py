"""The ordered plan for a verdict: its recipe's steps, made for the names of one bundle."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from graphlib import TopologicalSorter

from meshforensics.incidents import declared_incidents
from meshforensics.model import DeclarationError, Hypothesis, Standing, UnknownNameError, gather
from meshforensics.recovery._command import PLACEHOLDERS, Command, Manifest, stands_in
from meshforensics.recovery._declare import Deed, Part, Situation, Step
from meshforensics.recovery._mesh import Case, Mesh, mesh_of
from meshforensics.recovery._named import Named
from meshforensics.recovery._plans import EVIDENCE_ONLY, OF_LINKERD, RECIPES, Recipe

VERDICT = ("", "auto")


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """A step with its commands for one mesh."""

    step: Step
    deed: Deed

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything that it prints, in order."""
        return (*self.deed.do, *self.deed.verify, *self.deed.undo)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do about a verdict, in order; nothing of it is ever run.

    Attributes:
        caution: why to hesitate: a verdict that is only possible, names that were refused.
        fill: placeholders in the commands, with what they stand for.
        also: other incidents that are supported, each with a plan of its own.
    """

    verdict: Hypothesis
    mesh: Mesh
    title: str
    steps: tuple[PlannedStep, ...]
    never: tuple[str, ...] = ()
    caution: tuple[str, ...] = ()
    fill: tuple[tuple[str, str], ...] = ()
    also: tuple[str, ...] = ()

    @property
    def decided(self) -> bool:
        """Whether there is a cause to recover from."""
        return self.verdict.status in {Standing.SUPPORTED, Standing.POSSIBLE}

    def __post_init__(self) -> None:
        """Refuse a plan that changes what it did not save before."""
        saved: set[str] = set()
        for planned in self.steps:
            for part in planned.parts:
                if isinstance(part, Command):
                    lost = [each for each in part.changes if not _covered(each, saved)]
                    if lost:
                        raise DeclarationError(f"{planned.step.id} changes {lost[0]} before it is saved")
                    saved.update((*part.saves, *part.creates))


@cache
def declared_steps() -> dict[str, Step]:
    """Every step that a module of this room declares, by id."""
    import meshforensics.recovery as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Step)


def plan_for(case: Case, paths: tuple[str, ...] = ("BUNDLE",), incident: str = "") -> Plan:
    """The plan for the verdict of `case`, or for another of its hypotheses.

    A verdict that is neither supported nor possible gets steps that keep and gather evidence, and no other.

    Args:
        paths: how the evidence was named, for the commands.
        incident: the id of a hypothesis; empty for the verdict.

    Raises:
        UnknownNameError: no incident has that id.
    """
    verdict = _hypothesis(case, incident)
    decided = verdict.status in {Standing.SUPPORTED, Standing.POSSIBLE}
    mesh = mesh_of(case, verdict)
    recipe = _recipe(verdict.incident, mesh) if decided else EVIDENCE_ONLY
    if verdict.status is Standing.POSSIBLE and "watch-memory" not in recipe.steps:
        recipe = replace(recipe, steps=("keep-evidence", "capture-missing", *recipe.steps))
    paused = _to_pause(verdict, mesh) if "pause-rollouts" in recipe.steps else ()
    steps = planned(recipe, Situation(mesh=mesh, verdict=verdict, paths=paths, paused=paused))
    return Plan(
        verdict=verdict,
        mesh=mesh,
        title=recipe.title,
        steps=steps,
        never=recipe.never,
        caution=tuple(_cautions(verdict, mesh)),
        fill=_fill(steps),
        also=_also(case, verdict) if decided else (),
    )


def _recipe(incident: str, mesh: Mesh) -> Recipe:
    own = OF_LINKERD.get(incident) if mesh.linkerd else None
    return own or RECIPES[incident]


def planned(recipe: Recipe, situation: Situation) -> tuple[PlannedStep, ...]:
    """The steps of a recipe that the mesh has something for, in order."""
    known = declared_steps()
    made = ((known[name], known[name].make(situation)) for name in ordered(recipe.steps, known))
    return tuple(PlannedStep(step=step, deed=deed) for step, deed in made if deed is not None)


def ordered(names: Iterable[str], known: Mapping[str, Step]) -> tuple[str, ...]:
    """Each step after all that it comes after; where that leaves a choice, as the recipe has them.

    Raises:
        DeclarationError: a step comes after itself, by way of others (graphlib says which).
    """
    wanted = tuple(dict.fromkeys(names))
    sorter = TopologicalSorter({name: [each for each in known[name].after if each in wanted] for name in wanted})
    sorter.prepare()
    done: list[str] = []
    ready: set[str] = set()
    while sorter.is_active():
        ready.update(sorter.get_ready())
        first = min(ready, key=wanted.index)
        ready.remove(first)
        sorter.done(first)
        done.append(first)
    return tuple(done)


def _hypothesis(case: Case, incident: str) -> Hypothesis:
    if incident in VERDICT:
        return case.hypotheses[0]
    if incident not in declared_incidents():
        raise UnknownNameError("incident", incident, declared_incidents())
    return next(each for each in case.hypotheses if each.incident == incident)


def _to_pause(verdict: Hypothesis, mesh: Mesh) -> tuple[Named, ...]:
    """What must not restart by itself: where roots differ, all that did not move yet; else what the verdict names."""
    held = (*mesh.order, *mesh.gateways) if verdict.incident == "ca-rotation" else mesh.workloads
    moved = mesh.workloads if verdict.incident == "ca-rotation" else ()
    return tuple(each for each in held if each.kind == "Deployment" and each not in moved)


def _cautions(verdict: Hypothesis, mesh: Mesh) -> Iterable[str]:
    if verdict.status is Standing.POSSIBLE:
        yield (
            f"{verdict.incident} is possible, not supported: settle what is missing first, prefer what can be undone."
        )
    for name in mesh.refused[:5]:
        yield f"left out, since no object of Kubernetes can be called so: {name}"


def _also(case: Case, verdict: Hypothesis) -> tuple[str, ...]:
    return tuple(
        each.incident
        for each in case.hypotheses
        if each.status is Standing.SUPPORTED and each.incident not in {verdict.incident, "healthy"}
    )


def _fill(steps: Iterable[PlannedStep]) -> tuple[tuple[str, str], ...]:
    texts = "\n".join(part if isinstance(part, str) else part.shell for planned in steps for part in planned.parts)
    return tuple((name, PLACEHOLDERS[name]) for name in stands_in(texts))


def _covered(subject: str, saved: Iterable[str]) -> bool:
    """Whether a subject was saved: by itself, with its kind, or with every object; Secrets are not among those."""
    kind = subject.partition(":")[0]
    return bool({subject, f"{kind}:*", "" if kind == "Secret" else "*"} & set(saved))


def manifests(plan: Plan) -> tuple[Manifest, ...]:
    """Every file that a plan writes."""
    return tuple(part for each in plan.steps for part in each.parts if isinstance(part, Manifest))
