"""Incidents of traffic: calls fail, and the configuration is what was meant."""

from meshforensics.lab._lab import Lab
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import Behaviour, destination, rule
from meshforensics.lab.scenarios.configuration import inserted, rate_limit
from meshforensics.model import now

_FAILING = 5.0


async def _ejected(lab: Lab) -> Truth:
    """Every endpoint fails for a while, and is put out for longer than that."""
    world = lab.world
    store = world.service("store")
    detection = {"consecutive5xxErrors": 3, "interval": "1s", "baseEjectionTime": "120s", "maxEjectionPercent": 100}
    world.apply("DestinationRule", store.namespace, store.name, rule(store, outlierDetection=detection), at=now())
    lab.push()
    world.behaviours[store.name] = Behaviour(status=500)
    await lab.wait(_FAILING)
    world.behaviours.pop(store.name)
    caller = world.pods_of(world.service("side"))[0]
    return Truth(
        incident="no-healthy-upstream",
        subjects=(caller.name, store.name),
        about=f"every endpoint of {store.name} answered 500 for {_FAILING:.0f} s and is ejected for 120 s",
    )


async def _overflow(lab: Lab) -> Truth:
    """A connection pool that is too small for its traffic."""
    world = lab.world
    store = world.service("store")
    pool = {"tcp": {"maxConnections": 1}, "http": {"http1MaxPendingRequests": 1, "maxRequestsPerConnection": 10}}
    world.apply("DestinationRule", store.namespace, store.name, rule(store, connectionPool=pool), at=now())
    world.behaviours[store.name] = Behaviour(delay=0.25)
    lab.load.rate, lab.load.burst = 14.0, 4
    lab.push()
    caller = world.pods_of(world.service("side"))[0]
    return Truth(
        incident="circuit-breaker-overflow",
        subjects=(caller.name, store.name),
        about=f"DestinationRule {store.name} allows one connection and one pending request",
    )


async def _refused(lab: Lab) -> Truth:
    """An application is gone, its proxy is not: connections to the application are refused."""
    world = lab.world
    pod = world.pods_of(world.service("store"))[0]
    await lab.applications.stop(pod)
    return Truth(
        incident="upstream-connect-failure",
        subjects=(pod.name,),
        about=f"the application of {pod.name} does not listen any more",
    )


async def _denied(lab: Lab) -> Truth:
    """A policy allows somebody who does not call, and so nobody who does."""
    world = lab.world
    store = world.service("store")
    name = f"{store.name}-viewers"
    principals = [f"{world.plan.trust_domain}/ns/{store.namespace}/sa/auditor"]
    spec = {
        "action": "ALLOW",
        "selector": {"matchLabels": {"app": store.name}},
        "rules": [{"from": [{"source": {"principals": principals}}]}],
    }
    world.apply("AuthorizationPolicy", store.namespace, name, spec, at=now())
    lab.push()
    pod = world.pods_of(store)[0]
    return Truth(
        incident="rbac-denied",
        subjects=(pod.name, name),
        about=f"AuthorizationPolicy {name} allows an account that does not call {store.name}",
    )


async def _timeout(lab: Lab) -> Truth:
    """A server becomes slower than its route allows, and slower than its retries."""
    world = lab.world
    store = world.service("store")
    retries = {"attempts": 2, "perTryTimeout": "0.2s", "retryOn": "5xx,connect-failure,reset"}
    route = {"name": "default", "timeout": "0.5s", "retries": retries, "route": [{"destination": destination(store)}]}
    world.apply("VirtualService", store.namespace, store.name, {"hosts": [store.host], "http": [route]}, at=now())
    world.behaviours[store.name] = Behaviour(delay=0.7)
    lab.push()
    caller = world.pods_of(world.service("side"))[0]
    return Truth(
        incident="upstream-timeout",
        subjects=(caller.place.workload, store.name),
        about=f"{store.name} takes 0.7 s, its route allows 0.5 s and 0.2 s a try",
    )


async def _limited(lab: Lab) -> Truth:
    """A rate limit of the mesh that is too low."""
    world = lab.world
    store = world.service("store")
    name = f"{store.name}-ratelimit"
    world.apply("EnvoyFilter", store.namespace, name, inserted(store.name, rate_limit(20, "60s")), at=now())
    lab.push()
    pod = world.pods_of(store)[0]
    return Truth(
        incident="rate-limited",
        subjects=(pod.name, name),
        about=f"EnvoyFilter {name} allows 20 requests a minute",
    )


no_healthy_upstream = Scenario(
    id="no-healthy-upstream",
    incident="no-healthy-upstream",
    mechanism="all endpoints fail for seconds, and outlier detection ejects them for minutes",
    begin=_ejected,
    settle=10.0,
)
circuit_breaker_overflow = Scenario(
    id="circuit-breaker-overflow",
    incident="circuit-breaker-overflow",
    mechanism="a connection pool of one connection and one pending request, under load",
    begin=_overflow,
)
upstream_connect_failure = Scenario(
    id="upstream-connect-failure",
    incident="upstream-connect-failure",
    mechanism="an application does not listen any more: its proxy's connections are refused",
    begin=_refused,
)
rbac_denied = Scenario(
    id="rbac-denied",
    incident="rbac-denied",
    mechanism="an AuthorizationPolicy allows only an account that does not call",
    begin=_denied,
)
upstream_timeout = Scenario(
    id="upstream-timeout",
    incident="upstream-timeout",
    mechanism="a server becomes slower than its route's timeout; every retry is exhausted",
    begin=_timeout,
)
rate_limited = Scenario(
    id="rate-limited",
    incident="rate-limited",
    mechanism="a local rate limit that is too low for honest traffic",
    begin=_limited,
)
