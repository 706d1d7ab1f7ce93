"""From a cluster to jobs: lists first, and what their pods have."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from meshforensics.capture._ask import Ask, Job, Stage
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._lists import Listing, ListWork, stage_of
from meshforensics.capture._secrets import GATEWAYS
from meshforensics.capture._targets import Target
from meshforensics.capture._visit import Door, ReadLog, Visit
from meshforensics.formats.kubernetes import KubernetesObject
from meshforensics.formats.resources import Resource

_PODS = ("", "pods")
_LISTS_FIRST = -1
"""Sickness of a list: in its stage it comes before any pod."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to capture.

    Attributes:
        kubeconfig: the file that leads to the cluster; empty for where the environment says that it is.
        context: the kubeconfig's context; empty for its current one.
        namespaces: only these; none means all.
        pods: only these, as ``namespace/pod``; none means all.
        envoys: admin ports outside Kubernetes.
        budget: seconds that the capture may take; each whole one, where a series is watched.
        watch: seconds of samples between two whole captures; 0 for one capture.
        every: seconds from one sample to the next.
        prometheus: address of a Prometheus, a Service as ``namespace/name:port``, or ``auto``; empty for none.
        window: seconds before the capture that Prometheus is asked about.
        application_logs: whether the logs of containers that are no proxy are read too.
        log_since: seconds of log that are read; 0 for as far as lines and bytes allow.
        redact_hosts: whether addresses become pseudonyms.
        profile: the profile whose `memory.dump-at` and `memory.dump-share` say when a watch takes all of a proxy.
        secrets: whether names of Secrets, and certificates in those of the mesh, are read.
    """

    kubeconfig: str = ""
    context: str = ""
    namespaces: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    envoys: tuple[str, ...] = ()
    budget: float = 240.0
    watch: float = 0.0
    every: float = 30.0
    prometheus: str = ""
    window: float = 3600.0
    application_logs: bool = False
    log_since: float = 0.0
    redact_hosts: bool = False
    secrets: bool = True
    profile: str = "default"

    @property
    def within(self) -> tuple[str, ...]:
        """The namespaces that are listed; none means all."""
        return tuple(dict.fromkeys((*self.namespaces, *(pod.partition("/")[0] for pod in self.pods))))

    @property
    def patience(self) -> float:
        """Seconds of silence after which nothing more is expected."""
        return min(10.0, max(2.0, self.budget / 24))


def pod_listings(options: Options) -> list[Listing]:
    """The lists of pods: everywhere, or in some namespaces, and there the control planes of everywhere too."""
    pods = _pods()
    if not options.within:
        return [Listing(resource=pods, version="v1")]
    own = [Listing(resource=pods, version="v1", namespace=each) for each in options.within]
    return [*own, Listing(resource=pods, version="v1", selector="app=istiod")]


def listings(
    versions: Mapping[Resource, str], namespaces: Sequence[str], revisions: tuple[str, ...] = ()
) -> Iterator[Listing]:
    """Every other list that the server can give."""
    for resource, version in versions.items():
        if (resource.group, resource.plural) == _PODS or not version:
            continue
        for namespace in namespaces if resource.namespaced and namespaces else [""]:
            yield Listing(resource=resource, version=version, namespace=namespace, revisions=revisions)


def list_jobs(
    cluster: Cluster, wanted: Iterable[Listing], then: Callable[[tuple[KubernetesObject, ...]], None] | None = None
) -> Iterator[Job]:
    """A job for each list; `then` is told what is in the lists of gateways."""
    for number, listing in enumerate(wanted):
        yield Job(
            rank=(stage_of(listing.resource), _LISTS_FIRST, number),
            asks=(listing.ask,),
            work=ListWork(cluster=cluster, listing=listing, then=then if listing.ask.kind in GATEWAYS else None),
        )


def pod_jobs(door: Door, pods: Sequence[Target], log_since: float = 0.0) -> Iterator[Job]:
    """What is asked of each pod, stage by stage, the sick ones first."""
    ordered = sorted(pods, key=lambda target: (target.sickness, target.subject))
    for number, target in enumerate(ordered):
        for log in target.logs:
            yield Job(
                rank=(log.stage, target.sickness, number),
                asks=(Ask(kind=log.kind, subject=target.subject),),
                work=ReadLog(cluster=door.cluster, target=target, log=log, since=log_since),
            )
        for stage in Stage:
            pages = target.of_stage(stage)
            if pages:
                yield Job(
                    rank=(stage, target.sickness, number),
                    asks=tuple(Ask(kind=page.kind, subject=target.subject) for page in pages),
                    work=Visit(door=door, target=target, pages=pages),
                )


def _pods() -> Resource:
    from meshforensics.capture._lists import ASKED  # noqa: PLC0415

    return next(each for each in ASKED if (each.group, each.plural) == _PODS)
