"""Incidents of configuration: what proxies run is not what was meant, or not there."""

from meshforensics.lab._lab import Lab
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import Body, rule
from meshforensics.model import now

_NEWER = "1.31.0"


def unknown_filter(name: str) -> Body:
    """A filter that no proxy of this version has, as an EnvoyFilter of a newer one may insert it."""
    config = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": f"type.googleapis.com/{name}"}
    return {"name": name, "typed_config": {**config, "value": {}}}


def inserted(app: str, value: Body, context: str = "SIDECAR_INBOUND") -> Body:
    """An EnvoyFilter that inserts an HTTP filter before the others."""
    patch = {"operation": "INSERT_BEFORE", "value": value}
    patches = [{"applyTo": "HTTP_FILTER", "match": {"context": context}, "patch": patch}]
    return {"workloadSelector": {"labels": {"app": app}}, "configPatches": patches}


async def _upgrade(lab: Lab) -> Truth:
    """Replace the control plane; its objects come with it: one subset fewer, one filter that old proxies reject."""
    world = lab.world
    split, side = world.service("split"), world.service("side")
    left_behind = world.pods_of(world.service("front"))[-1]
    lab.relays[left_behind.name].hold()
    await lab.upgrade(f"{world.plan.istiod[:-5]}zz9qk", _NEWER)
    at = now()
    world.apply("DestinationRule", split.namespace, split.name, rule(split, split.versions[:1]), at=at)
    spec = inserted(side.name, unknown_filter("istio.filters.http.peer_metadata_v2"))
    world.apply("EnvoyFilter", side.namespace, f"{side.name}-metadata", spec, at=at)
    await lab.connected(pod for pod in world.pods.values() if pod is not left_behind)
    lab.push()
    caller = world.pods_of(world.service("front"))[0]
    return Truth(
        incident="upgrade-503",
        subjects=(caller.name, split.name),
        allow=("config-rejected", "route-to-missing-cluster", "config-stale"),
        about=f"istiod {world.plan.istio} to {_NEWER}: subset {split.versions[1]} of {split.name} is gone, its route is"
        f" not; {side.name} rejects a filter; {left_behind.name} kept the old configuration",
    )


upgrade_503 = Scenario(
    id="upgrade-503",
    incident="upgrade-503",
    mechanism="control plane upgraded: a route names a subset that is gone, a filter is rejected, one replica is left",
    begin=_upgrade,
    settle=10.0,
)
