"""Incidents of memory: what really grows, and why."""

import asyncio

from meshforensics.lab._lab import Lab
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import front_call

_STREAMS = 70
"""Long polls that are opened with each beat."""
_BEAT = 2.5


async def _leak(lab: Lab) -> Truth:
    world = lab.world
    server = world.service("store")
    caller = world.pods_of(world.service(front_call(world, "store")))[0]

    async def pile_up() -> None:
        while True:
            lab.applications.poll(caller, server, _STREAMS)
            await asyncio.sleep(_BEAT)

    lab.go(pile_up())
    victim = world.pods_of(server)[0]
    return Truth(
        incident="memory-leak",
        subjects=(caller.place.workload, victim.place.workload),
        about=f"{caller.place.workload} opens {_STREAMS} long polls to {server.name} every {_BEAT} s; none ends",
    )


memory_leak = Scenario(
    id="memory-leak",
    incident="memory-leak",
    mechanism="streams pile up: one application opens long polls to another, none ends, requests stay flat",
    begin=_leak,
    warm=4.0,
    settle=1.0,
    watch=36.0,
    every=3.5,
)
