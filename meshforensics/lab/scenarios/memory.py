"""Incidents of memory: what really grows, and why."""

import asyncio
from itertools import count

from meshforensics.lab._lab import Lab
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import Behaviour, front_call
from meshforensics.lab.scenarios.configuration import inserted
from meshforensics.model import now

_STREAMS = 70
"""Long polls that are opened with each beat."""
_BEAT = 2.5
_CLUSTERS = 15
"""Clusters that are added with each beat."""
_MOST_CLUSTERS = 400
_PAUSE = 0.02
_METHODS = 120
"""gRPC methods that are called for the first time with each beat."""
_RATES = (6, 6, 20, 60, 110, 110, 60, 20, 6, 6, 6)
_HELD = 160
"""Callers that do not read what they are sent."""


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


async def _configuration(lab: Lab) -> Truth:
    async def grow() -> None:
        while True:
            lab.world.extra_clusters = min(lab.world.extra_clusters + _CLUSTERS, _MOST_CLUSTERS)
            for pod in lab.world.pods.values():
                lab.plane.push([pod], kinds=("CDS",))
                await asyncio.sleep(_PAUSE)
            await asyncio.sleep(_BEAT)

    lab.go(grow())
    front = lab.world.pods_of(lab.world.service("front"))[0]
    return Truth(
        incident="memory-config-growth",
        subjects=(front.place.workload,),
        about=f"{_CLUSTERS} services of other teams come every {_BEAT} s, and are sent to everybody",
    )


async def _series(lab: Lab) -> Truth:
    """Statistics for each gRPC method, and a caller whose methods are never the same."""
    world = lab.world
    rpc = world.service("rpc")
    kind = "type.googleapis.com/envoy.extensions.filters.http.grpc_stats.v3.FilterConfig"
    value = {"name": "envoy.filters.http.grpc_stats", "typed_config": {"@type": kind, "stats_for_all_methods": True}}
    world.apply("EnvoyFilter", rpc.namespace, f"{rpc.name}-methods", inserted(rpc.name, value), at=now())
    lab.push()
    caller = world.pods_of(world.service("side"))[0]
    numbers = count()

    async def call() -> None:
        while True:
            for _ in range(_METHODS):
                await lab.applications.look(caller, rpc, f"/lab.Rpc/Look{next(numbers)}")
            await asyncio.sleep(_BEAT)

    lab.go(call())
    return Truth(
        incident="memory-config-growth",
        subjects=(world.pods_of(rpc)[0].place.workload,),
        about=f"{rpc.name} keeps statistics for each of the methods that {caller.place.workload} makes up",
    )


async def _traffic(lab: Lab) -> Truth:
    world = lab.world
    front = world.service("front")
    world.behaviours[front.name] = Behaviour(status=200, delay=2.5, path="/slow")
    lab.load.paths = ("/items/1", *(f"/slow/{number}" for number in range(7)))

    async def tide() -> None:
        for rate in _RATES:
            lab.load.rate = float(rate)
            await asyncio.sleep(3.2)

    lab.go(tide())
    return Truth(
        incident="memory-traffic-growth",
        subjects=(world.pods_of(front)[0].place.workload,),
        about=f"callers of {front.name} come and go: from {min(_RATES)} to {max(_RATES)} a second and back",
    )


async def _retention(lab: Lab) -> Truth:
    world = lab.world
    await lab.load.hold(_HELD, seconds=3.0)
    return Truth(
        incident="memory-retention",
        subjects=(world.gateway.name,),
        about=f"{_HELD} callers did not read what they were sent; they are gone, the heap that held it is not",
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
    series=True,
    before="",
)
memory_config_growth = Scenario(
    id="memory-config-growth",
    incident="memory-config-growth",
    mechanism="clusters of other teams are sent to every proxy, more with each push",
    begin=_configuration,
    warm=4.0,
    settle=1.0,
    watch=36.0,
    every=3.5,
    series=True,
    before="",
)
memory_config_growth_series = Scenario(
    id="memory-config-growth-series",
    incident="memory-config-growth",
    mechanism="statistics by gRPC method, and a caller that makes methods up: series grow, configuration does not",
    begin=_series,
    warm=4.0,
    settle=1.0,
    watch=36.0,
    every=3.5,
    series=True,
    before="",
)
memory_traffic_growth = Scenario(
    id="memory-traffic-growth",
    incident="memory-traffic-growth",
    mechanism="honest traffic: open requests rise and fall with the callers",
    begin=_traffic,
    warm=4.0,
    settle=1.0,
    watch=38.0,
    every=3.2,
    series=True,
    before="",
)
memory_retention = Scenario(
    id="memory-retention",
    incident="memory-retention",
    mechanism="callers that did not read are gone; the allocator keeps the heap that held their answers",
    begin=_retention,
    settle=3.0,
    watch=28.0,
    every=3.5,
    series=True,
    before="",
)
