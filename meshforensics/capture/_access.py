"""What a capture needs to be permitted, and whether it is: asked before anything else is."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from meshforensics.capture._again import again
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._lists import ASKED
from meshforensics.capture._prometheus import in_cluster, namespace_of
from meshforensics.capture._reply import TroubleError
from meshforensics.formats.resources import Resource

_STREAMS = ("create", "get")
"""Verbs of an upgrade: an API server asks for one or the other, by its age and the client's protocol."""

_SECRETS = ("", "secrets")
"""Listed as a table of names; the certificates of some are read one by one."""


@dataclass(frozen=True, kw_only=True, order=True)
class Permission:
    """A verb on a resource; `namespace` is empty for everywhere."""

    group: str
    resource: str
    verb: str
    namespace: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """As an access review asks for it."""
        resource, _, subresource = self.resource.partition("/")
        asked = {"group": self.group, "resource": resource, "subresource": subresource, "verb": self.verb}
        return {**asked, "namespace": self.namespace}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A permission, and whether it is given; None where the server does not say."""

    permission: Permission
    given: bool | None


def needed(
    resources: Sequence[Resource] = ASKED, namespaces: Sequence[str] = (), *, prometheus: str = ""
) -> tuple[Permission, ...]:
    """Every permission that a capture uses, sorted: to list, to read logs, and to open a port-forward or an exec.

    Args:
        resources: what is listed.
        namespaces: where; everywhere when empty.
        prometheus: where a Prometheus is asked through the API server, its address.
    """
    found = set(_needed(resources, namespaces or [""]))
    if in_cluster(prometheus):
        found.add(Permission(group="", resource="services/proxy", verb="get", namespace=namespace_of(prometheus)))
    return tuple(sorted(found))


def _needed(resources: Sequence[Resource], namespaces: Sequence[str]) -> Iterator[Permission]:
    for each in resources:
        for namespace in namespaces if each.namespaced else [""]:
            yield Permission(group=each.group, resource=each.plural, verb="list", namespace=namespace)
    for namespace in namespaces:
        if any((each.group, each.plural) == _SECRETS for each in resources):
            yield Permission(group="", resource="secrets", verb="get", namespace=namespace)
        yield Permission(group="", resource="pods/log", verb="get", namespace=namespace)
        for resource in ("pods/exec", "pods/portforward"):
            for verb in _STREAMS:
                yield Permission(group="", resource=resource, verb=verb, namespace=namespace)


async def check(cluster: Cluster, permissions: Sequence[Permission]) -> list[Checked]:
    """Ask the API server about each permission."""
    slots = asyncio.Semaphore(8)

    async def one(permission: Permission) -> Checked:
        async with slots:
            return Checked(permission=permission, given=await _given(cluster, permission.attributes))

    return list(await asyncio.gather(*map(one, permissions)))


async def _given(cluster: Cluster, attributes: Mapping[str, str]) -> bool | None:
    try:
        reply = await again(lambda: cluster.review(attributes))
        if reply.status not in {200, 201}:
            return None
        status = msgspec.json.decode(reply.body, type=dict[str, object]).get("status")
    except (TroubleError, msgspec.DecodeError):
        return None
    return bool(status.get("allowed")) if isinstance(status, dict) else None
