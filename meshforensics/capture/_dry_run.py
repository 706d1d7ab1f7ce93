"""What a capture would ask, before it asks: permissions, requests and bytes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshforensics.capture._access import Checked, check, needed
from meshforensics.capture._ask import Ask, Job
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._discovery import versions
from meshforensics.capture._envoys import admin_of
from meshforensics.capture._lists import Listing, fetch, objects
from meshforensics.capture._plan import Options, list_jobs, listings, pod_jobs, pod_listings
from meshforensics.capture._prometheus import ALERTS, QUERIES
from meshforensics.capture._targets import targets
from meshforensics.capture._visit import Door
from meshforensics.formats.kubernetes import KubernetesObject
from meshforensics.formats.pages import ENVOY_PAGES

_KIB = 1024
_USUAL = {
    "envoy.config_dump": 700 * _KIB, "envoy.clusters": 170 * _KIB, "envoy.certs": 36 * _KIB,
    "envoy.server_info": 125 * _KIB, "envoy.stats": 640 * _KIB, "envoy.stats_prometheus": 90 * _KIB,
    "istiod.configz": 2048 * _KIB, "istiod.adsz": 1024 * _KIB, "istiod.endpointz": 2048 * _KIB,
    "istiod.registryz": 2048 * _KIB, "istiod.metrics": 300 * _KIB, "kubernetes.pods": 4096 * _KIB,
    "log.istio-proxy": 4096 * _KIB, "log.discovery": 8192 * _KIB,
}  # fmt: skip
"""Bytes that are usual, from captures of meshes of middle size; a guess, no limit."""
_ELSE = 20 * _KIB


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What a capture would ask.

    Attributes:
        where: the context, or that there is no cluster.
        checked: the permissions it needs, and whether they are given.
        pods: how many pods of the mesh were found; None when pods cannot be listed.
        asked: how many items of each kind would be asked for, and about how many bytes those come to.
        requests: how many requests it would make, at least.
        size: bytes that would come, about.
    """

    where: str
    checked: tuple[Checked, ...]
    pods: int | None
    asked: Mapping[str, tuple[int, int]]
    requests: int
    size: int


async def dry_run(options: Options, cluster: Cluster | None) -> DryRun:
    """Look what there is, ask which permissions are given, and count; no page and no log is asked for."""
    outside = [Ask(kind=page.kind, subject=admin_of(url).subject) for url in options.envoys for page in ENVOY_PAGES]
    outside += [Ask(kind=query.kind, subject=query.id) for query in (*QUERIES, *ALERTS)] if options.prometheus else []
    if cluster is None:
        return _counted("no cluster", (), None, outside)
    served = {
        each: version
        for each, version in (await versions(cluster)).items()
        if options.secrets or each.plural != "secrets"
    }
    wanted = [each for each, version in served.items() if version]
    checked = await check(cluster, needed(wanted, options.within, prometheus=options.prometheus))
    lists = pod_listings(options)
    pods = await _pods(cluster, lists)
    found = list(targets(pods or [], application_logs=options.application_logs))
    if options.pods:
        found = [each for each in found if each.subject in options.pods or each.program == "pilot-discovery"]
    jobs = [*list_jobs(cluster, [*lists, *listings(served, options.within)]), *pod_jobs(Door(cluster), found)]
    asks = [*outside, *_asks(jobs)]
    return _counted(cluster.context, tuple(checked), None if pods is None else len(found), asks)


async def _pods(cluster: Cluster, lists: Iterable[Listing]) -> list[KubernetesObject] | None:
    outcomes = [await fetch(cluster, listing) for listing in lists]
    if all(outcome.payload is None for outcome in outcomes):
        return None
    return [one for outcome in outcomes for one in objects(outcome)]


def _asks(jobs: Iterable[Job]) -> list[Ask]:
    return [ask for job in jobs for ask in job.asks]


def _counted(where: str, checked: tuple[Checked, ...], pods: int | None, asks: list[Ask]) -> DryRun:
    numbers = sorted(Counter(ask.kind for ask in asks).items())
    asked = {kind: (number, number * _usual(kind)) for kind, number in numbers}
    size = sum(size for _, size in asked.values())
    return DryRun(where=where, checked=checked, pods=pods, asked=asked, requests=len(asks), size=size)


def _usual(kind: str) -> int:
    return _USUAL.get(kind.removesuffix(".previous"), _ELSE)
