"""The Kubernetes objects of a lab are of the pods that there are."""

from meshforensics.lab._kubernetes import objects
from meshforensics.lab._prometheus import configuration
from meshforensics.lab._world import Body, World
from meshforensics.model import now


def _made(world: World, kind: str) -> list[Body]:
    istiods = [("istiod-1", "1.27.3", now())]
    return [each for each in objects(world, istiods) if each["kind"] == kind]


def test_pods_are_those_that_are_not_gone_and_the_control_plane(world: World) -> None:
    gone = world.pods_of(world.service("store"))[0]
    gone.gone = True

    names = {each["metadata"]["name"] for each in _made(world, "Pod")}

    assert names == {"istiod-1", *world.pods} - {gone.name}


def test_the_control_plane_asks_for_no_sidecar(world: World) -> None:
    """Its revision would pass for a wish; Istio's chart says so too."""
    (istiod,) = [each for each in _made(world, "Pod") if each["metadata"]["name"] == "istiod-1"]

    assert istiod["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"


def test_a_slice_holds_the_pods_that_are_ready(world: World) -> None:
    front = world.service("front")
    resting, ready = world.pods_of(front)[:2]
    resting.ready = False

    slices = [each for each in _made(world, "EndpointSlice") if front.name in each["metadata"]["name"]]

    assert [at for each in slices for one in each["endpoints"] for at in one["addresses"]] == [ready.address]


def test_an_edited_object_says_when_and_of_which_generation(world: World) -> None:
    at = now()

    body = world.apply("PeerAuthentication", "istio-system", "default", {"mtls": {"mode": "PERMISSIVE"}}, at=at)

    assert body["metadata"]["generation"] == 2
    assert body["metadata"]["managedFields"][0]["operation"] == "Update"


def test_prometheus_scrapes_every_proxy_and_the_control_plane(world: World) -> None:
    jobs = configuration(world, "127.20.7.3", "istiod-1")["scrape_configs"]

    targets = {each["job_name"]: [one["targets"][0] for one in each["static_configs"]] for each in jobs}
    assert targets["envoy-stats"] == [f"{pod.address}:15000" for pod in world.pods.values()]
    assert targets["istiod"] == ["127.20.7.1:15014"]
