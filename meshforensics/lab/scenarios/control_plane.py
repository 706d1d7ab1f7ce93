"""An incident of the control plane itself."""

from meshforensics.lab._lab import Lab
from meshforensics.lab._scenario import Scenario, Truth

_PACE = 2.0


async def _overload(lab: Lab) -> Truth:
    """Every message waits for its turn in a queue that is slow; a proxy that starts now gets nothing for long."""
    world = lab.world
    lab.plane.slow = _PACE
    lab.push()
    waiting = world.pods_of(world.service("front"))[-1]
    await lab.restart(waiting, wait=False)
    return Truth(
        incident="control-plane-overload",
        subjects=(lab.plane.name,),
        allow=("config-stale",),
        about=f"istiod sends one message every {_PACE:.0f} s; {waiting.name} started and waits for its configuration",
    )


control_plane_overload = Scenario(
    id="control-plane-overload",
    incident="control-plane-overload",
    mechanism="pushes wait in a queue longer than they should, and a proxy that starts is not configured",
    simulated="why the control plane is slow; that it is, and who waits, is real",
    begin=_overload,
    warm=4.0,
    settle=22.0,
    watch=22.0,
    every=11.0,
)
