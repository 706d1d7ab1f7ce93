"""Lab: mesh incidents made again on one machine, with real Envoys, and captured by our own capture."""

from collections.abc import Mapping
from functools import cache

from meshforensics.lab._run import Made, Options, run, truth_file
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.model import UnknownNameError, gather

__all__ = ["Made", "Options", "Scenario", "Truth", "declared_scenarios", "run", "scenario_of", "truth_file"]


@cache
def declared_scenarios() -> Mapping[str, Scenario]:
    """Every scenario that a module of this room declares, by id."""
    import meshforensics.lab.scenarios as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Scenario)


def scenario_of(name: str) -> Scenario:
    """The scenario of that id.

    Raises:
        UnknownNameError: there is none.
    """
    found = declared_scenarios().get(name)
    if found is None:
        raise UnknownNameError("incident of the lab", name, declared_scenarios())
    return found
