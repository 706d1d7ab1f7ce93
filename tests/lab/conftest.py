"""A mesh that is planned and does not run."""

import pytest

from meshforensics.lab._plan import plan_of
from meshforensics.lab._world import World, install, world_of


@pytest.fixture
def world() -> World:
    """The mesh of seed 3, with the objects that every lab begins with."""
    made = world_of(plan_of(3), "127.20.7")
    install(made)
    return made
