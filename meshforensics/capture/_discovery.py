"""Which of the resources that we know an API server serves, and in which version."""

import asyncio
from collections.abc import Mapping

import msgspec

from meshforensics.capture._again import again
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._lists import ASKED
from meshforensics.capture._reply import TroubleError
from meshforensics.formats.resources import Resource


class _Named(msgspec.Struct):
    name: str = ""
    version: str = ""
    versions: list["_Named"] = []


class _Groups(msgspec.Struct):
    groups: list[_Named] = []


class _Resources(msgspec.Struct):
    resources: list[_Named] = []


async def versions(cluster: Cluster) -> Mapping[Resource, str]:
    """The version to ask for of each resource; empty where the server does not serve it.

    Where discovery itself is refused or broken, the preferred version that we know of is tried.
    """
    groups = {each.group for each in ASKED if each.group}
    served = await _groups(cluster)
    if served is None:
        return {each: each.versions[0] for each in ASKED}
    pairs = [(group, version) for group in sorted(groups) for version in served.get(group, ())]
    known = {version for each in ASKED for version in each.versions}
    pairs = [pair for pair in pairs if pair[1] in known]
    found = dict(zip(pairs, await asyncio.gather(*(_resources(cluster, *pair) for pair in pairs)), strict=True))
    return {each: _version(each, served, found) for each in ASKED}


def _version(
    resource: Resource, served: Mapping[str, tuple[str, ...]], found: Mapping[tuple[str, str], frozenset[str] | None]
) -> str:
    if not resource.group:
        return resource.versions[0]
    for version in served.get(resource.group, ()):
        names = found.get((resource.group, version), frozenset())
        if version in resource.versions and (names is None or resource.plural in names):
            return version
    return ""


async def _groups(cluster: Cluster) -> dict[str, tuple[str, ...]] | None:
    """The versions of each group, in the server's order of preference; None when it does not say."""
    try:
        reply = await again(lambda: cluster.get("/apis"))
        if reply.status != 200 or reply.broken:
            return None
        groups = msgspec.json.decode(reply.body, type=_Groups).groups
    except (TroubleError, msgspec.DecodeError):
        return None
    return {group.name: tuple(each.version for each in group.versions) for group in groups}


async def _resources(cluster: Cluster, group: str, version: str) -> frozenset[str] | None:
    """The plurals of a group's version; None when the server does not say."""
    try:
        reply = await again(lambda: cluster.get(f"/apis/{group}/{version}"))
        if reply.status != 200 or reply.broken:
            return None
        return frozenset(each.name for each in msgspec.json.decode(reply.body, type=_Resources).resources)
    except (TroubleError, msgspec.DecodeError):
        return None
