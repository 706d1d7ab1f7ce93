"""What the objects of the mesh say about a service or a pod, as istiod reads them."""

from collections.abc import Iterator
from typing import Any

from meshforensics.lab._plan import CONTROL, Service
from meshforensics.lab._world import Body, Pod, World


def rule_of(world: World, service: Service) -> Body:
    """The DestinationRule about a service; empty where there is none."""
    return next((each for each in world.of_kind("DestinationRule") if each["spec"]["host"] == service.host), {})


def policy_of(world: World, service: Service) -> Body:
    """The traffic policy of that rule."""
    policy: Body = rule_of(world, service).get("spec", {}).get("trafficPolicy", {})
    return policy


def subsets_of(world: World, service: Service) -> list[tuple[str, str]]:
    """The subsets that the rule declares: name, and the version that its pods are labelled with."""
    declared = rule_of(world, service).get("spec", {}).get("subsets", [])
    return [(each["name"], each["labels"].get("version", "")) for each in declared]


def routes_of(world: World, service: Service) -> list[tuple[Body, str]]:
    """The HTTP routes of VirtualServices about a host inside the mesh, and the object that each is of."""
    return list(_routes(world, service.host, "mesh"))


def ingress_of(world: World) -> list[tuple[Body, str]]:
    """The HTTP routes of the gateway's host."""
    return list(_routes(world, world.plan.domain, "public"))


def mode_of(world: World, pod: Pod) -> str:
    """The mTLS mode of a pod: its own PeerAuthentication, its namespace's, the mesh's, else PERMISSIVE."""
    found = {"mesh": "PERMISSIVE", "namespace": "", "pod": ""}
    for each in world.of_kind("PeerAuthentication"):
        spec, namespace = each["spec"], each["metadata"]["namespace"]
        selected = spec.get("selector", {}).get("matchLabels", {})
        if selected and namespace == pod.place.namespace and selected.get("app") == pod.place.service:
            found["pod"] = spec["mtls"]["mode"]
        elif not selected and namespace == CONTROL:
            found["mesh"] = spec["mtls"]["mode"]
        elif not selected and namespace == pod.place.namespace:
            found["namespace"] = spec["mtls"]["mode"]
    return found["pod"] or found["namespace"] or found["mesh"]


def selected(world: World, kind: str, pod: Pod) -> Iterator[Body]:
    """Objects of a kind in a pod's namespace whose selector, where they have one, is of the pod."""
    for each in world.of_kind(kind, pod.place.namespace):
        spec = each["spec"]
        labels = (spec.get("selector") or {}).get("matchLabels") or (spec.get("workloadSelector") or {}).get("labels")
        if not labels or labels.get("app") == pod.place.service:
            yield each


def path_of(body: Body) -> str:
    """How istiod names an object in the metadata of what it made of it."""
    kind = {"VirtualService": "virtual-service", "DestinationRule": "destination-rule"}[body["kind"]]
    metadata = body["metadata"]
    return f"/apis/networking.istio.io/v1/namespaces/{metadata['namespace']}/{kind}/{metadata['name']}"


def made_of(path: str, **more: Any) -> Body:
    """Metadata that says which object something was made of."""
    return {"filter_metadata": {"istio": {**({"config": path} if path else {}), **more}}}


def _routes(world: World, host: str, gateway: str) -> Iterator[tuple[Body, str]]:
    for each in world.of_kind("VirtualService"):
        spec = each["spec"]
        if host in spec["hosts"] and gateway in spec.get("gateways", ["mesh"]):
            for http in spec["http"]:
                yield http, path_of(each)
