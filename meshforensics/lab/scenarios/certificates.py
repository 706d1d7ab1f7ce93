"""Incidents of certificates: who signed whom, who trusts whom, until when, and who is who."""

import asyncio
from datetime import timedelta

from meshforensics.lab._lab import Lab
from meshforensics.lab._pki import authority
from meshforensics.lab._scenario import Scenario, Truth
from meshforensics.lab._world import Pod, World, reissue, rule
from meshforensics.model import now

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_SOON = timedelta(seconds=4)
_FORMER = "former.example"


async def _rotate(lab: Lab) -> Truth:
    """A new root, of the same name, to one service alone; nobody holds both."""
    world = lab.world
    new = authority(world.plan.trust_domain, now(), age=_HOUR)
    moved = world.pods_of(world.service("store"))
    for pod in moved:
        pod.roots = (new,)
        reissue(world, pod, new)
    world.root, world.published = new, (new,)
    lab.plane.say("info", "pkica", "Updating new ROOT-CA")
    lab.plane.push_secrets(moved)
    return Truth(
        incident="ca-rotation",
        subjects=(moved[0].place.workload, new.serial),
        about=f"root {new.serial} replaced the former one at {moved[0].place.workload} alone, without overlap",
    )


async def _overlap(lab: Lab) -> Truth:
    """A rotation as it should be: both roots everywhere, then new leaves for some."""
    world = lab.world
    new = authority(world.plan.trust_domain, now(), age=_HOUR)
    for pod in world.pods.values():
        pod.roots = (world.root, new)
    world.published = (world.root, new)
    lab.plane.push_secrets(world.pods.values())
    await lab.wait(2.0)
    moved = world.pods_of(world.service("store")) + world.pods_of(world.service("side"))
    for pod in moved:
        reissue(world, pod, new)
    lab.plane.push_secrets(moved)
    return Truth(incident="healthy", about=f"root {new.serial} beside the former one everywhere, then new leaves")


async def _root_ends(lab: Lab) -> Truth:
    """Wait until the root that the mesh began with is over."""
    root = lab.world.root
    await asyncio.sleep(max(0.0, (root.ends - now()).total_seconds()) + 1.0)
    return Truth(
        incident="root-expired",
        subjects=(root.serial,),
        about=f"root {root.serial} ended at {root.ends:%H:%M:%S}",
    )


async def _leaf_ends(lab: Lab) -> Truth:
    """One workload's certificate is not renewed, and ends."""
    world = lab.world
    pod = _server(world)
    ends = now() + _SOON
    reissue(world, pod, world.root, begins=ends - _DAY, ends=ends)
    lab.plane.push_secrets([pod])
    await asyncio.sleep(_SOON.total_seconds() + 1.0)
    return Truth(
        incident="leaf-expired",
        subjects=(pod.name,),
        about=f"the certificate {pod.leaf.serial} of {pod.name} ended at {ends:%H:%M:%S} and was not renewed",
    )


async def _other_domain(lab: Lab) -> Truth:
    """One workload gets a certificate of the right root, in a trust domain that its callers do not expect."""
    world = lab.world
    pod = _server(world)
    spiffe = f"spiffe://{_FORMER}/ns/{pod.place.namespace}/sa/{pod.account}"
    reissue(world, pod, world.root, spiffe=spiffe)
    lab.plane.push_secrets([pod])
    return Truth(
        incident="identity-mismatch",
        subjects=(pod.place.workload, _FORMER),
        about=f"{pod.name} is {spiffe}, where callers expect {world.plan.trust_domain}",
    )


async def _other_name(lab: Lab) -> Truth:
    """A DestinationRule names a service account that the server does not have."""
    world = lab.world
    store = world.service("store")
    name = world.spiffe(store.namespace, f"{store.name}-old")
    said = rule(store, tls={"mode": "ISTIO_MUTUAL", "subjectAltNames": [name]})
    world.apply("DestinationRule", store.namespace, store.name, said, at=now())
    lab.push()
    caller = world.pods_of(world.service("side"))[0]
    return Truth(
        incident="identity-mismatch",
        subjects=(caller.place.workload, store.name),
        about=f"DestinationRule {store.name} expects {name}",
    )


async def _plaintext(lab: Lab) -> Truth:
    """A DestinationRule turns TLS off towards a STRICT server."""
    world = lab.world
    store = world.service("store")
    world.apply("DestinationRule", store.namespace, store.name, rule(store, tls={"mode": "DISABLE"}), at=now())
    lab.push()
    caller = world.pods_of(world.service("side"))[0]
    return Truth(
        incident="mtls-mode-conflict",
        subjects=(caller.place.workload, store.name),
        about=f"DestinationRule {store.name} turns TLS off, its pods are STRICT",
    )


def _server(world: World) -> Pod:
    return world.pods_of(world.service("store"))[0]


ca_rotation = Scenario(
    id="ca-rotation",
    incident="ca-rotation",
    mechanism="root replaced without overlap: one service gets the new root and a leaf of it, its callers do not",
    begin=_rotate,
    settle=10.0,
    before="store",
)
healthy_rotation = Scenario(
    id="healthy-rotation",
    incident="healthy",
    mechanism="root replaced as it should be: everybody holds both before the first leaf of the new one",
    begin=_overlap,
)
root_expired = Scenario(
    id="root-expired",
    incident="root-expired",
    mechanism="the root ends while the mesh runs",
    begin=_root_ends,
    root_life=36.0,
    warm=3.0,
    settle=10.0,
    watch=8.0,
    every=4.0,
)
leaf_expired = Scenario(
    id="leaf-expired",
    incident="leaf-expired",
    mechanism="one workload's certificate ends and is not renewed",
    begin=_leaf_ends,
    settle=10.0,
)
identity_mismatch = Scenario(
    id="identity-mismatch",
    incident="identity-mismatch",
    mechanism="one workload's certificate is of another trust domain, signed by the right root",
    begin=_other_domain,
    settle=10.0,
)
identity_mismatch_san = Scenario(
    id="identity-mismatch-san",
    incident="identity-mismatch",
    mechanism="a DestinationRule expects a name (SAN) that the server's certificate does not have",
    begin=_other_name,
    settle=10.0,
)
mtls_mode_conflict = Scenario(
    id="mtls-mode-conflict",
    incident="mtls-mode-conflict",
    mechanism="a DestinationRule turns TLS off towards a server whose PeerAuthentication is STRICT",
    begin=_plaintext,
    settle=10.0,
)
