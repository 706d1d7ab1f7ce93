"""What the control plane makes of objects: every resource is a valid message, and says what the objects say."""

import pytest

from meshforensics.lab._clusters import assignments, cluster_name, clusters
from meshforensics.lab._control_plane import _MADE, secret
from meshforensics.lab._listeners import listeners
from meshforensics.lab._messages import packed
from meshforensics.lab._routes import route_configurations
from meshforensics.lab._world import Body, World, rule
from meshforensics.model import now


def _cluster(world: World, name: str) -> Body:
    return next(each for each in clusters(world, world.gateway) if each["name"] == name)


@pytest.mark.parametrize("kind", list(_MADE))
def test_every_resource_is_a_message_of_its_type(world: World, kind: str) -> None:
    pytest.importorskip("grpc")

    for pod in world.pods.values():
        made = [packed(kind, body) for body in _MADE[kind](world, pod)]

        assert made
        assert {each.type_url for each in made} == {made[0].type_url}


def test_secrets_are_the_leaf_and_the_roots_of_the_pod(world: World) -> None:
    pod = world.gateway

    assert secret(pod, "default")["tls_certificate"]["certificate_chain"]["inline_string"] == pod.leaf.chain
    assert secret(pod, "ROOTCA")["validation_context"]["trusted_ca"]["inline_string"] == world.root.pem


def test_a_subset_that_a_rule_no_longer_declares_has_no_cluster_and_its_route_still_names_it(world: World) -> None:
    split = world.service("split")
    gone = cluster_name(split, split.versions[1])
    caller = world.pods_of(world.service("front"))[0]
    assert gone in {each["name"] for each in clusters(world, caller)}

    world.apply("DestinationRule", split.namespace, split.name, rule(split, split.versions[:1]), at=now())

    assert gone not in {each["name"] for each in clusters(world, caller)}
    assert gone in str(route_configurations(world, caller))


def test_limits_and_ejection_of_a_rule_are_those_of_the_cluster(world: World) -> None:
    side = world.service("side")
    said = rule(side, connectionPool={"tcp": {"maxConnections": 1}}, outlierDetection={"consecutive5xxErrors": 2})

    world.apply("DestinationRule", side.namespace, side.name, said, at=now())

    made = _cluster(world, cluster_name(side))
    assert made["circuit_breakers"]["thresholds"][0]["max_connections"] == 1
    assert made["outlier_detection"]["consecutive_5xx"] == 2


@pytest.mark.parametrize(
    ("mode", "transports"),
    [("STRICT", ["tls"]), ("PERMISSIVE", ["tls", "raw_buffer"]), ("DISABLE", ["raw_buffer"])],
)
def test_a_mode_decides_what_an_inbound_listener_takes(world: World, mode: str, transports: list[str]) -> None:
    pod = world.pods_of(world.service("store"))[0]
    world.apply("PeerAuthentication", pod.place.namespace, "own", {"mtls": {"mode": mode}}, at=now())

    inbound = next(each for each in listeners(world, pod) if each["name"] == "virtualInbound")

    assert [each["filter_chain_match"]["transport_protocol"] for each in inbound["filter_chains"]] == transports


def test_outbound_listeners_are_inside_the_pod_and_inbound_ones_on_its_address(world: World) -> None:
    pod = world.pods_of(world.service("store"))[0]

    addresses = {each["name"]: each["address"]["socket_address"]["address"] for each in listeners(world, pod)}

    assert addresses.pop("virtualInbound") == pod.address
    assert set(addresses.values()) == {pod.inside}


def test_a_policy_of_a_pod_is_a_filter_of_its_inbound_listener(world: World) -> None:
    store = world.service("store")
    spec = {"action": "DENY", "rules": [{"to": [{"operation": {"paths": ["/items*"]}}]}]}
    world.apply("AuthorizationPolicy", store.namespace, "no-items", spec, at=now())

    inbound = str(listeners(world, world.pods_of(store)[0])[-1])

    assert f"ns[{store.namespace}]-policy[no-items]-rule[0]" in inbound
    assert "'prefix': '/items'" in inbound


def test_a_pod_that_is_not_ready_is_no_endpoint(world: World) -> None:
    front = world.service("front")
    resting = world.pods_of(front)[0]
    resting.ready = False

    assert resting.address not in str(assignments(world, world.gateway))
    assert world.pods_of(front)[1].address in str(assignments(world, world.gateway))
