"""Route configurations, named and filled as istiod does it."""

from meshforensics.lab._clusters import TYPE, cluster_name
from meshforensics.lab._plan import GATEWAY_PORT, Service
from meshforensics.lab._rules import ingress_of, made_of, routes_of
from meshforensics.lab._world import Body, Pod, World

GATEWAY_ROUTES = f"http.{GATEWAY_PORT}"
_RETRY_ON = "connect-failure,refused-stream,unavailable,cancelled"
_PREVIOUS = {
    "name": "envoy.retry_host_predicates.previous_hosts",
    "typed_config": {"@type": f"{TYPE}extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"},
}
_ANY = {
    "name": "allow_any",
    "domains": ["*"],
    "routes": [
        {"name": "allow_any", "match": {"prefix": "/"}, "route": {"cluster": "PassthroughCluster", "timeout": "0s"}}
    ],
}


def ports(world: World) -> dict[int, list[Service]]:
    """The services by port: one route configuration each."""
    found: dict[int, list[Service]] = {}
    for service in world.plan.services.values():
        found.setdefault(service.port, []).append(service)
    return found


def route_configurations(world: World, pod: Pod) -> list[Body]:
    """Every route configuration of a pod's proxy that it takes from RDS."""
    if pod is world.gateway:
        routes = [_route(world, http, path) for http, path in ingress_of(world)]
        host = _host(f"{world.plan.domain}:80", [world.plan.domain], routes)
        return [_configuration(GATEWAY_ROUTES, [host])]
    return [
        _configuration(str(port), [*(_of_service(world, each) for each in services), _ANY])
        for port, services in ports(world).items()
    ]


def inbound_routes(service: Service) -> Body:
    """The routes of the inbound listener, which are part of it."""
    cluster = f"inbound|{service.target}||"
    action = {"cluster": cluster, "timeout": "0s", "max_grpc_timeout": "0s"}
    route = {"name": "default", "match": {"prefix": "/"}, "route": action, "decorator": _decorator(service)}
    host = {"name": f"inbound|http|{service.port}", "domains": ["*"], "routes": [route]}
    return {"name": cluster, "virtual_hosts": [host], "validate_clusters": False}


def _configuration(name: str, hosts: list[Body]) -> Body:
    return {
        "name": name,
        "virtual_hosts": hosts,
        "validate_clusters": False,
        "ignore_port_in_host_matching": True,
        "max_direct_response_body_size_bytes": 1048576,
    }


def _of_service(world: World, service: Service) -> Body:
    said = routes_of(world, service)
    routes = [_route(world, http, path) for http, path in said] or [_default(service)]
    short = f"{service.name}.{service.namespace}"
    domains = [service.host, service.name, f"{short}.svc", short, service.address]
    return _host(f"{service.host}:{service.port}", domains, routes)


def _host(name: str, domains: list[str], routes: list[Body]) -> Body:
    return {"name": name, "domains": domains, "routes": routes, "include_request_attempt_count": True}


def _default(service: Service) -> Body:
    action = {"cluster": cluster_name(service), **_action({})}
    return {"name": "default", "match": {"prefix": "/"}, "route": action, "decorator": _decorator(service)}


def _route(world: World, http: Body, path: str) -> Body:
    """One HTTP route of a VirtualService."""
    targets = [(_target(world, each["destination"]), each.get("weight", 100)) for each in http["route"]]
    if len(targets) == 1:
        where: Body = {"cluster": targets[0][0]}
    else:
        where = {"weighted_clusters": {"clusters": [{"name": name, "weight": weight} for name, weight in targets]}}
    first = _named(world, http["route"][0]["destination"]["host"])
    match = {"prefix": (http.get("match") or [{}])[0].get("uri", {}).get("prefix", "/")}
    return {
        "name": http.get("name", ""),
        "match": match,
        "route": {**where, **_action(http)},
        "metadata": made_of(path),
        "decorator": _decorator(first),
    }


def _named(world: World, host: str) -> Service:
    return next(each for each in world.plan.services.values() if each.host == host)


def _target(world: World, destination: Body) -> str:
    """The cluster that a destination means; istiod names it whether or not there is one."""
    return cluster_name(_named(world, destination["host"]), destination.get("subset", ""))


def _action(http: Body) -> Body:
    retries = http.get("retries", {})
    policy: Body = {
        "retry_on": retries.get("retryOn", _RETRY_ON),
        "num_retries": retries.get("attempts", 2),
        "retry_host_predicate": [_PREVIOUS],
        "host_selection_retry_max_attempts": 5,
    }
    if retries.get("perTryTimeout"):
        policy["per_try_timeout"] = retries["perTryTimeout"]
    timeout = http.get("timeout", "0s")
    return {"timeout": timeout, "retry_policy": policy, "max_grpc_timeout": timeout}


def _decorator(service: Service) -> Body:
    return {"operation": f"{service.host}:{service.port}/*"}
