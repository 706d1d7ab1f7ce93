"""istiod's debug pages over a control plane of the lab, told from what really was sent and acknowledged."""

import json
from typing import Any

from aiohttp import web
from prometheus_client import generate_latest

from meshforensics.lab._bootstrap import labels
from meshforensics.lab._control_plane import ORDER, Connection, ControlPlane
from meshforensics.lab._kubernetes import mesh_config
from meshforensics.lab._messages import URLS
from meshforensics.lab._plan import CONTROL, Service
from meshforensics.lab._world import Body, Pod, World, whole
from meshforensics.model import format_time

PORT = 15014
_WORDS = {"CDS": "cluster", "LDS": "listener", "RDS": "route", "EDS": "endpoint"}


def application(plane: ControlPlane) -> web.Application:
    """The pages of a control plane."""
    app = web.Application()
    world = plane.world
    pages = {
        "/debug/syncz": lambda: [syncz(plane, each) for each in plane.connections.values()],
        "/debug/adsz": lambda: adsz(plane),
        "/debug/configz": lambda: list(world.objects.values()),
        "/debug/registryz": lambda: [_registered(world, role) for role in world.plan.services],
        "/debug/endpointShardz": lambda: _shards(world),
        "/debug/push_status": dict,
        "/debug/mesh": lambda: _mesh(world),
    }
    for path, page in pages.items():
        app.router.add_get(path, _json(page))
    app.router.add_get("/metrics", _metrics(plane))
    app.router.add_get("/version", _version(plane))
    return app


def syncz(plane: ControlPlane, connection: Connection) -> Body:
    """One proxy as ``/debug/syncz`` has it."""
    pod = connection.pod
    said: Body = {
        "cluster_id": "Kubernetes",
        "proxy": f"{pod.name}.{pod.place.namespace}",
        "proxy_type": "router" if pod is plane.world.gateway else "sidecar",
        "istio_version": pod.istio,
    }
    resources: Body = {}
    for kind in ORDER:
        watch = connection.watches.get(kind)
        if watch is None:
            continue
        said |= {f"{_WORDS[kind]}_sent": watch.sent, f"{_WORDS[kind]}_acked": watch.acked}
        at = format_time(whole(watch.sent_at)) if watch.sent_at else None
        state = {"sent": watch.sent, "acked": watch.acked, "sentTime": at, "lastError": watch.error}
        resources[URLS[kind]] = {key: value for key, value in state.items() if value}
    return {**{key: value for key, value in said.items() if value}, "resources": resources}


def adsz(plane: ControlPlane) -> Body:
    """Who is connected, since when, and what each watches."""
    clients = [
        {
            "connectionId": each.id,
            "connectedAt": format_time(whole(each.at)),
            "address": "@",
            "watches": {URLS[kind]: list(watch.names) for kind, watch in each.watches.items()},
        }
        for each in plane.connections.values()
    ]
    return {"totalClients": len(clients), "clients": clients}


def _registered(world: World, role: str) -> Body:
    service = world.service(role)
    return {
        "Attributes": {"Name": service.name, "Namespace": service.namespace, "ServiceRegistry": "Kubernetes"},
        "hostname": service.host,
        "defaultAddress": service.address,
        "ports": [{"name": service.protocol, "port": service.port, "protocol": service.protocol.upper()}],
    }


def _shards(world: World) -> Body:
    found: Body = {}
    for service in world.plan.services.values():
        endpoints = [_shard(world, service, pod) for pod in world.endpoints_of(service)]
        found[service.host] = {service.namespace: {"Shards": {"Kubernetes/Kubernetes": endpoints}}}
    return found


def _shard(world: World, service: Service, pod: Pod) -> Body:
    return {
        "Labels": labels(pod),
        "Addresses": [pod.address],
        "ServicePortName": service.protocol,
        "ServiceAccount": world.spiffe(pod.place.namespace, pod.account),
        "EndpointPort": service.target,
        "TLSMode": "disabled" if pod.plain else "istio",
        "Namespace": pod.place.namespace,
        "WorkloadName": pod.place.workload,
        "HealthStatus": 1,
        "NodeName": pod.node,
    }


def _mesh(world: World) -> Body:
    lines = (line.partition(": ") for line in mesh_config(world).splitlines())
    return {**{key: value for key, _, value in lines}, "enableAutoMtls": True, "rootNamespace": CONTROL}


def _json(page: Any) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=json.dumps(page(), indent=2), content_type="application/json")

    return answer


def _metrics(plane: ControlPlane) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(plane.registry), content_type="text/plain")

    return answer


def _version(plane: ControlPlane) -> Any:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=f"{plane.version}-unknown-Clean\n")

    return answer
