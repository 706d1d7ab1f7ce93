"""Recovery, as advice: the ordered plan for a verdict, with the names of its bundle. Nothing is ever run."""

from meshforensics.recovery._command import (
    PLACEHOLDERS,
    Command,
    Manifest,
    is_name,
    kubectl,
    stands_in,
    version_of,
)
from meshforensics.recovery._declare import Deed, Part, Situation, Stage, Step, step
from meshforensics.recovery._edges import edges
from meshforensics.recovery._mesh import SYSTEM, Case, Mesh, Resources, mesh_of
from meshforensics.recovery._named import Named
from meshforensics.recovery._plan import Plan, PlannedStep, declared_steps, manifests, ordered, plan_for, planned
from meshforensics.recovery._plans import EVIDENCE_ONLY, OF_LINKERD, RECIPES, Recipe

__all__ = [
    "EVIDENCE_ONLY",
    "OF_LINKERD",
    "PLACEHOLDERS",
    "RECIPES",
    "SYSTEM",
    "Case",
    "Command",
    "Deed",
    "Manifest",
    "Mesh",
    "Named",
    "Part",
    "Plan",
    "PlannedStep",
    "Recipe",
    "Resources",
    "Situation",
    "Stage",
    "Step",
    "declared_steps",
    "edges",
    "is_name",
    "kubectl",
    "manifests",
    "mesh_of",
    "ordered",
    "plan_for",
    "planned",
    "stands_in",
    "step",
    "version_of",
]
