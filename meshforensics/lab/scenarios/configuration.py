"""Incidents of configuration: what proxies run is not what was meant, or not there."""

from dataclasses import replace

from meshforensics.lab._lab import Lab
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import Body, destination, inside_of, rule
from meshforensics.model import now

_NEWER = "1.31.0"
_TYPE = "type.googleapis.com/"


def unknown_filter(name: str) -> Body:
    """A filter that no proxy of this version has, as an EnvoyFilter for a newer one may insert it."""
    config = {"@type": f"{_TYPE}xds.type.v3.TypedStruct", "type_url": f"{_TYPE}{name}", "value": {}}
    return {"name": name, "typed_config": config}


def rate_limit(tokens: int, interval: str) -> Body:
    """Envoy's local rate limit: so many requests in an interval."""
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    config = {
        "@type": f"{_TYPE}envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "http_local_rate_limiter",
        "token_bucket": {"max_tokens": tokens, "tokens_per_fill": tokens, "fill_interval": interval},
        "filter_enabled": always,
        "filter_enforced": always,
    }
    return {"name": "envoy.filters.http.local_ratelimit", "typed_config": config}


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
    before = world.istio
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
        about=f"istiod {before} to {_NEWER}: subset {split.versions[1]} of {split.name} is gone, its route is not; "
        f"{side.name} rejects a filter; {left_behind.name} kept the old configuration",
    )


async def _missing(lab: Lab) -> Truth:
    """A VirtualService leads to a subset that no DestinationRule declares."""
    world = lab.world
    side = world.service("side")
    route = {"name": "canary", "route": [{"destination": destination(side, "canary")}]}
    world.apply("VirtualService", side.namespace, side.name, {"hosts": [side.host], "http": [route]}, at=now())
    lab.push()
    caller = world.pods_of(world.service("front"))[0]
    return Truth(
        incident="route-to-missing-cluster",
        subjects=(caller.name, side.name),
        about=f"VirtualService {side.name} leads to subset canary, which nothing declares",
    )


async def _rejected(lab: Lab) -> Truth:
    """An EnvoyFilter makes a listener that Envoy refuses; the proxy keeps what it has."""
    world = lab.world
    store = world.service("store")
    name = f"{store.name}-limit"
    world.apply("EnvoyFilter", store.namespace, name, inserted(store.name, rate_limit(100, "0.010s")), at=now())
    lab.push()
    pod = world.pods_of(store)[0]
    return Truth(
        incident="config-rejected",
        subjects=(pod.name, name),
        about=f"EnvoyFilter {name} fills its bucket every 10 ms, Envoy takes no less than 50 ms",
    )


async def _stale(lab: Lab) -> Truth:
    """One proxy's way to its control plane is cut; then a pod that it calls is replaced at another address."""
    world = lab.world
    store = world.service("store")
    behind = world.pods_of(world.service("side"))[0]
    lab.relays[behind.name].hold()
    old = world.pods_of(store)[0]
    number = max(pod.place.number for pod in world.pods.values()) + 1
    place = replace(old.place, name=f"{old.name[:-5]}nw7rd", number=number)
    address = f"{world.network}.{10 + number}"
    new = replace(old, place=place, address=address, inside=inside_of(world.network, 10 + number), created=now())
    await lab.add(new)
    lab.push()
    await lab.wait(1.0)
    await lab.remove(old)
    lab.push()
    return Truth(
        incident="config-stale",
        subjects=(behind.name,),
        about=f"{behind.name} hears nothing of its control plane and calls {old.address}, where {old.name} was",
    )


async def _shadowed(lab: Lab) -> Truth:
    """A rule for everything stands before a narrower one; requests do not fail."""
    world = lab.world
    split = world.service("split")
    first, second = split.versions
    everything = {"name": "all", "route": [{"destination": destination(split, first)}]}
    narrow = {
        "name": "beta",
        "match": [{"uri": {"prefix": "/items"}}],
        "route": [{"destination": destination(split, second)}],
    }
    spec = {"hosts": [split.host], "http": [everything, narrow]}
    world.apply("VirtualService", split.namespace, split.name, spec, at=now())
    lab.push()
    return Truth(
        incident="route-shadowed",
        subjects=(split.name,),
        about=f"VirtualService {split.name} sends everything to {first} before its rule for /items can match",
    )


upgrade_503 = Scenario(
    id="upgrade-503",
    incident="upgrade-503",
    mechanism="control plane upgraded: a route names a subset that is gone, a filter is rejected, one replica is left",
    begin=_upgrade,
    settle=10.0,
)
route_to_missing_cluster = Scenario(
    id="route-to-missing-cluster",
    incident="route-to-missing-cluster",
    mechanism="a VirtualService leads to a subset that no DestinationRule declares",
    begin=_missing,
)
config_rejected = Scenario(
    id="config-rejected",
    incident="config-rejected",
    mechanism="an EnvoyFilter makes a listener that Envoy refuses (NACK)",
    begin=_rejected,
)
config_stale = Scenario(
    id="config-stale",
    incident="config-stale",
    mechanism="one proxy's connection to the control plane hangs; then a pod that it calls moves",
    begin=_stale,
    warm=4.0,
    settle=26.0,
    watch=26.0,
    every=13.0,
)
route_shadowed = Scenario(
    id="route-shadowed",
    incident="route-shadowed",
    mechanism="a rule for everything stands before a narrower one, which can never match",
    begin=_shadowed,
)
