"""Which of the commands that are printed as advice the tests let a real kubectl check, and which no test can."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile

from meshforensics.model import Hypothesis, Standing
from meshforensics.recovery import OF_LINKERD, RECIPES, Command, Mesh, Part, Situation, planned

DRY = ("annotate", "create", "delete", "label", "patch", "scale", "set", "run")
"""Calls of kubectl that have a dry run, which asks the server what is there and changes nothing."""
ASKED = ("get", "logs", "describe", "diff", "exec", "rollout")
"""Calls that are made as they are: they read, or are refused by the replay once they have found their object."""
NOT_SERVED = ("hpa", "podmetrics")
"""What no replay has."""


def variant(words: tuple[str, ...]) -> tuple[str, ...]:
    """The form of a command that a real kubectl runs against a replay; empty where there is none."""
    if words[0] != "kubectl" or any(each in words for each in NOT_SERVED):
        return ()
    verb = _verb(words)
    if verb == "apply":
        kept = [each for each in words if not each.startswith("--dry-run")]
        return (*kept, "--dry-run=client", "--validate=false")
    if verb in DRY:
        dry = () if any(each.startswith("--dry-run") for each in words) else ("--dry-run=client",)
        return (*words, *dry, *(("--validate=false",) if verb == "create" and "-f" in words else ()))
    return words if verb in ASKED else ()


def _verb(words: tuple[str, ...]) -> str:
    rest = words[1:]
    return rest[2] if rest[0] == "-n" else rest[0]


def unchecked(commands: Iterable[Command]) -> list[str]:
    """The programs and calls that no test runs: the beginning of each command, without names and options."""
    heads = set()
    for command in commands:
        for words in (command.words, *command.pipes):
            if not variant(words):
                heads.add(_head(words))
    return sorted(heads)


def _head(words: tuple[str, ...]) -> str:
    rest = words[3:] if words[1:2] == ("-n",) else words[1:]
    kept = list(takewhile(lambda each: each.isascii() and each.replace("-", "").isalpha() and each.islower()
                          and not each.startswith("-"), rest))[:3]  # fmt: skip
    return " ".join((words[0], *kept[: 3 if words[0] in {"istioctl", "kubectl", "argocd", "flux"} else 0]))


def parts_of(mesh: Mesh) -> list[Part]:
    """Everything that the plans of all incidents print for a mesh, once."""
    verdict = Hypothesis(incident="", status=Standing.SUPPORTED, confidence=1.0)
    situation = Situation(mesh=mesh, verdict=verdict, paths=("incident.zip",), paused=mesh.workloads)
    steps = [each for recipe in RECIPES.values() for each in planned(recipe, situation)]
    of_linkerd = replace(situation, mesh=replace(mesh, linkerd="linkerd"))
    anchors = replace(verdict, subjects=("ConfigMap:linkerd/linkerd-identity-trust-roots",))
    for each in (of_linkerd, replace(of_linkerd, verdict=anchors)):
        steps += [step for recipe in OF_LINKERD.values() for step in planned(recipe, each)]
    found = (part for each in steps for part in each.parts)
    return list({part if isinstance(part, str) else part.shell: part for part in found}.values())


def commands_of(parts: Iterable[Part]) -> list[Command]:
    """The commands among parts."""
    return [part for part in parts if isinstance(part, Command)]
