"""The Kubernetes objects that belong to a lab's mesh.

Simulated: no Kubernetes runs; they are written from the state that the proxies are configured from, and say that they
are three days old. Real: addresses, restarts, start times of proxies, and what they use.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from meshforensics.lab._bootstrap import labels
from meshforensics.lab._plan import CONTROL, GATEWAY_PORT, Service
from meshforensics.lab._world import Body, Pod, World, uid, whole
from meshforensics.model import format_time, now

_AGE = timedelta(days=3)
_LIMITS = {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}
_KUBELET = "v1.34.2"


def objects(world: World, istiods: list[tuple[str, str, datetime]]) -> Iterator[Body]:
    """Every object of the cluster; `istiods` are name, version and start of each control plane."""
    old = format_time(whole(world.born - _AGE))
    yield from (_node(name, old) for name in ("node-a", "node-b", "node-c"))
    for namespace in (*world.plan.namespaces, CONTROL):
        yield _namespace(namespace, old)
        roots = "".join(each.pem for each in world.published)
        yield _config_map("istio-ca-root-cert", namespace, {"root-cert.pem": roots}, old)
    yield _config_map("istio", CONTROL, {"mesh": mesh_config(world)}, old)
    for pod in world.pods.values():
        if not pod.gone:
            yield _pod(world, pod)
    for name, version, started in istiods:
        yield _istiod(world, name, version, started)
    yield from _deployments(world, istiods[-1][1] if istiods else world.istio, old)
    for service in world.plan.services.values():
        yield _service(service, old)
        yield _slice(service.name, service.namespace, service.target, world.endpoints_of(service), old)
    yield from _of_gateway(world, old)
    yield from world.objects.values()
    yield from world.events


def mesh_config(world: World) -> str:
    """The mesh configuration, in YAML."""
    return f"accessLogFile: /dev/stdout\nrootNamespace: {CONTROL}\ntrustDomain: {world.plan.trust_domain}\n"


def usage(pod: Pod, seconds: float, resident: int) -> Body:
    """What the metrics server would say of a proxy: the memory that the kernel counts, and its share of a core."""
    cores = seconds / max((now() - pod.started).total_seconds(), 1.0) if pod.started else 0.0
    at = format_time(whole(now()))
    used = {"cpu": f"{round(cores * 1000)}m", "memory": f"{resident // 1024}Ki"}
    metadata = {"name": pod.name, "namespace": pod.place.namespace, "creationTimestamp": at}
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": metadata,
        "timestamp": at,
        "window": "15s",
        "containers": [{"name": "istio-proxy", "usage": used}],
    }


def _metadata(kind: str, namespace: str, name: str, created: str | None, **more: object) -> Body:
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, "uid": uid(kind, namespace, name), "creationTimestamp": created, **more}


def _node(name: str, old: str | None) -> Body:
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": _metadata("Node", "", name, old, labels={"topology.kubernetes.io/region": "lab"}),
        "status": {"conditions": [ready], "nodeInfo": {"kubeletVersion": _KUBELET}},
    }


def _namespace(name: str, old: str | None) -> Body:
    injected = {} if name == CONTROL else {"istio-injection": "enabled"}
    labelled = {"kubernetes.io/metadata.name": name, **injected}
    metadata = _metadata("Namespace", "", name, old, labels=labelled)
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "status": {"phase": "Active"}}


def _config_map(name: str, namespace: str, data: dict[str, str], old: str | None) -> Body:
    metadata = _metadata("ConfigMap", namespace, name, old)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _pod(world: World, pod: Pod) -> Body:
    place, created = pod.place, format_time(whole(pod.created))
    gateway = pod is world.gateway
    image = f"istio/proxyv2:{pod.istio}"
    proxy: Body = {"name": "istio-proxy", "image": image, "args": ["proxy", "router" if gateway else "sidecar"]}
    proxy["resources"] = _LIMITS
    application = {"name": place.service, "image": f"lab/{place.service}:1.4.{place.number}"}
    injected = not gateway and not pod.plain
    spec: Body = {"nodeName": pod.node, "serviceAccountName": pod.account, "restartPolicy": "Always"}
    spec["containers"] = [proxy] if gateway else [application]
    if injected:
        spec["initContainers"] = [{**proxy, "restartPolicy": "Always"}]
    statuses = {"containerStatuses": [_proxy_status(pod, image) if gateway else _application_status(pod, application)]}
    if injected:
        statuses["initContainerStatuses"] = [_proxy_status(pod, image)]
    replica_set = place.name.rpartition("-")[0]
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": replica_set, "controller": True}
    owner["uid"] = uid("ReplicaSet", place.namespace, replica_set)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(
            "Pod",
            place.namespace,
            place.name,
            created,
            labels=labels(pod),
            annotations=_annotations(pod, gateway=gateway),
            ownerReferences=[owner],
        ),
        "spec": spec,
        "status": {**_status(pod.address, created, ready=pod.ready), **statuses},
    }


def _status(address: str, created: str | None, *, ready: bool = True) -> Body:
    kinds = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    conditions = [{"type": kind, "status": str(ready), "lastTransitionTime": created} for kind in kinds]
    return {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": created,
        "conditions": conditions,
    }


def _annotations(pod: Pod, *, gateway: bool) -> dict[str, str]:
    if pod.plain:
        return {}
    injected = {"initContainers": ["istio-init", "istio-proxy"], "containers": None, "revision": pod.revision}
    return {"istio.io/rev": pod.revision, **({} if gateway else {"sidecar.istio.io/status": json.dumps(injected)})}


def _proxy_status(pod: Pod, image: str) -> Body:
    started = format_time(whole(pod.started or pod.created))
    found = _container("istio-proxy", image, started, pod.restarts)
    if pod.restarts and pod.ended:
        ended = {"exitCode": 0, "reason": "Completed", "finishedAt": format_time(whole(pod.ended))}
        found["lastState"] = {"terminated": {**ended, "startedAt": format_time(whole(pod.created))}}
    return found


def _application_status(pod: Pod, container: Body) -> Body:
    return _container(container["name"], container["image"], format_time(whole(pod.created)), 0)


def _container(name: str, image: str, started: str | None, restarts: int) -> Body:
    return {
        "name": name,
        "image": image,
        "imageID": image,
        "ready": True,
        "started": True,
        "restartCount": restarts,
        "state": {"running": {"startedAt": started}},
    }


def _istiod(world: World, name: str, version: str, started: datetime) -> Body:
    created = format_time(whole(started))
    image = f"istio/pilot:{version}"
    labels = {
        "app": "istiod",
        "istio": "pilot",
        "istio.io/rev": world.revision,
        "sidecar.istio.io/inject": "false",
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata("Pod", CONTROL, name, created, labels=labels),
        "spec": {
            "nodeName": "node-a",
            "serviceAccountName": "istiod",
            "containers": [{"name": "discovery", "image": image, "resources": {"limits": {"memory": "2Gi"}}}],
        },
        "status": {
            **_status(world.istiod, created),
            "containerStatuses": [_container("discovery", image, created, 0)],
        },
    }


def _deployments(world: World, version: str, old: str | None) -> Iterator[Body]:
    wanted = {(pod.place.namespace, pod.place.workload): pod for pod in world.pods.values()}
    for (namespace, workload), pod in sorted(wanted.items()):
        alive = sum(each.place.workload == workload and not each.gone for each in world.pods.values())
        selector = {"app": pod.place.service, "version": pod.place.version}
        image = f"lab/{pod.place.service}:1.4.{pod.place.number}"
        yield _deployment(namespace, workload, selector, image, alive, old)
    yield _deployment(CONTROL, "istiod", {"app": "istiod"}, f"istio/pilot:{version}", 1, old)


def _deployment(namespace: str, name: str, selector: dict[str, str], image: str, alive: int, old: str | None) -> Body:
    template = {"metadata": {"labels": selector}, "spec": {"containers": [{"name": selector["app"], "image": image}]}}
    numbers = {"replicas": alive, "readyReplicas": alive, "availableReplicas": alive, "updatedReplicas": alive}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata("Deployment", namespace, name, old, labels={"app": selector["app"]}),
        "spec": {"replicas": alive, "selector": {"matchLabels": selector}, "template": template},
        "status": numbers if alive else {},
    }


def _service(service: Service, old: str | None) -> Body:
    port = {"name": service.protocol, "port": service.port, "targetPort": service.target, "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata("Service", service.namespace, service.name, old, labels={"app": service.name}),
        "spec": {
            "clusterIP": service.address,
            "ports": [port],
            "selector": {"app": service.name},
            "type": "ClusterIP",
        },
    }


def _slice(name: str, namespace: str, port: int, pods: list[Pod], old: str | None) -> Body:
    conditions = {"ready": True, "serving": True, "terminating": False}
    endpoints = [
        {
            "addresses": [pod.address],
            "conditions": conditions,
            "nodeName": pod.node,
            "targetRef": {"kind": "Pod", "name": pod.name, "namespace": namespace},
        }
        for pod in pods
    ]
    named = {"kubernetes.io/service-name": name}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": _metadata("EndpointSlice", namespace, f"{name}-{uid(name)[:5]}", old, labels=named),
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    }


def _of_gateway(world: World, old: str | None) -> Iterator[Body]:
    name = world.plan.gateway
    port = {"name": "http", "port": 80, "targetPort": GATEWAY_PORT, "protocol": "TCP"}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata("Service", CONTROL, name, old, labels={"app": name}),
        "spec": {"clusterIP": "10.96.0.80", "ports": [port], "selector": {"app": name}, "type": "LoadBalancer"},
    }
    yield _slice(name, CONTROL, GATEWAY_PORT, [world.gateway], old)
