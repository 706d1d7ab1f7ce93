"""No incident: traffic, restarts, and the noise that every mesh has."""

from meshforensics.lab._lab import Lab
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import Behaviour


async def _noise(lab: Lab) -> Truth:
    """A proxy restarts, a version is not found now and then, more calls come than before."""
    world = lab.world
    lab.load.rate = 16.0
    await lab.restart(world.pods_of(world.service("front"))[-1])
    world.behaviours[world.service("split").name] = Behaviour(delay=0.05, every=4)
    lab.push()
    return Truth(incident="healthy", about="a restart of one proxy, a push, slower answers, 404s, more traffic")


healthy = Scenario(
    id="healthy",
    incident="healthy",
    mechanism="nothing breaks: load with 404s, slow answers, a push and a restart",
    begin=_noise,
    before="",
)
