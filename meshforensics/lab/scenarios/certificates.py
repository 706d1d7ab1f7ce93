"""Incidents of certificates: who signed whom, who trusts whom, until when."""

from datetime import timedelta

from meshforensics.lab._lab import Lab
from meshforensics.lab._pki import authority
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import reissue
from meshforensics.model import now

_HOUR = timedelta(hours=1)


async def _rotate(lab: Lab) -> Truth:
    """A new root, of the same name, to one service alone; nobody holds both."""
    world = lab.world
    new = authority(world.plan.trust_domain, now(), age=_HOUR)
    moved = world.pods_of(world.service("store"))
    for pod in moved:
        pod.roots = (new,)
        reissue(world, pod, new)
    world.root, world.published = new, (new,)
    lab.plane.say("info", "pkica", "Updating new ROOT-CA")
    lab.plane.push_secrets(moved)
    return Truth(
        incident="ca-rotation",
        subjects=(moved[0].place.workload, new.serial),
        about=f"root {new.serial} replaced the former one at {moved[0].place.workload} alone, without overlap",
    )


ca_rotation = Scenario(
    id="ca-rotation",
    incident="ca-rotation",
    mechanism="root replaced without overlap: one service gets the new root and a leaf of it, its callers do not",
    begin=_rotate,
    settle=10.0,
)
