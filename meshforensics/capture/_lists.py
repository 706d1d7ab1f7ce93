"""Lists of objects: which resources, in which stage, and how a list is fetched page by page."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import msgspec

from meshforensics.capture._again import again
from meshforensics.capture._ask import Ask, Record, Stage
from meshforensics.capture._cluster import JSON, TABLE, Cluster
from meshforensics.capture._reply import Outcome, Reply, TroubleError, message, outcome_of, outcome_of_trouble
from meshforensics.capture._secrets import without_values
from meshforensics.formats.kubernetes import KubernetesObject, decode, mapping, members
from meshforensics.formats.resources import RESOURCES, Resource
from meshforensics.model import MESH, Cause, NotTheFormError, Status

PAGE = 500
_MAPS = (
    "istio", "istio-ca-root-cert", "istio-ca-crl", "istio-sidecar-injector", "istio-cni-config", "values",
    "linkerd-config", "linkerd-identity-trust-roots",
)  # fmt: skip
"""Config maps that a mesh makes; those of applications are nobody's business here."""
_OF_A_REVISION = ("istio-{}", "istio-sidecar-injector-{}", "values-{}")
_NOT_ASKED = {("", "endpoints"), ("", "serviceaccounts"), ("metrics.k8s.io", "nodes")}
_HEALTH = {"pods", "nodes", "namespaces", "events"}
_ACCESS = {
    "configmaps", "mutatingwebhookconfigurations", "validatingwebhookconfigurations", "customresourcedefinitions",
    "networkpolicies", "poddisruptionbudgets", "secrets", "validatingadmissionpolicies",
    "validatingadmissionpolicybindings", "adminnetworkpolicies", "baselineadminnetworkpolicies",
}  # fmt: skip
_ACCESS_GROUPS = {"security.istio.io", "policy.linkerd.io"}

ASKED: tuple[Resource, ...] = tuple(each for each in RESOURCES if (each.group, each.plural) not in _NOT_ASKED)
"""The resources that are listed; of Secrets only the table that a server prints: their values are nobody's business."""


def revisions_of(pods: Iterable[KubernetesObject]) -> tuple[str, ...]:
    """The revisions of Istio that run, but the one without a name, sorted."""
    found = {str(pod.labels.get("istio.io/rev") or "default") for pod in pods if _is_istiod(pod)}
    return tuple(sorted(found - {"default"}))


def _is_istiod(pod: KubernetesObject) -> bool:
    return any(one.get("name") == "discovery" for one in members(pod.spec, "containers"))


def stage_of(resource: Resource) -> Stage:
    """The stage in which a resource is listed."""
    if resource.plural in _HEALTH:
        return Stage.HEALTH
    late = resource.plural in _ACCESS or resource.group in _ACCESS_GROUPS
    return Stage.ACCESS if late else Stage.TRAFFIC


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One list: of a resource, in one namespace or in all of them.

    Attributes:
        version: the version that is asked for.
        namespace: where; empty for everywhere.
        selector: a label selector; empty for none.
        revisions: the revisions of Istio whose config maps are wanted too.
    """

    resource: Resource
    version: str
    namespace: str = ""
    selector: str = ""
    revisions: tuple[str, ...] = ()

    @property
    def ask(self) -> Ask:
        """Its item."""
        subject = f"Namespace:{self.namespace}" if self.namespace else MESH
        return Ask(kind=self.resource.item_kind, subject=f"Selector:{self.selector}" if self.selector else subject)

    @property
    def path(self) -> str:
        """Its path on the API server."""
        root = f"/apis/{self.resource.group}/{self.version}" if self.resource.group else f"/api/{self.version}"
        return (
            f"{root}/namespaces/{self.namespace}/{self.resource.plural}"
            if self.namespace
            else f"{root}/{self.resource.plural}"
        )

    @property
    def is_of_secrets(self) -> bool:
        """Whether it is of Secrets, whose values must not be sent."""
        return (self.resource.group, self.resource.plural) == ("", "secrets")

    def queries(self) -> Iterable[dict[str, str]]:
        """What is asked for: all of it, but of config maps only those of a mesh."""
        if (self.resource.group, self.resource.plural) == ("", "configmaps"):
            own = [form.format(revision) for revision in self.revisions for form in _OF_A_REVISION]
            return [{"fieldSelector": f"metadata.name={name}"} for name in (*_MAPS, *own)]
        return [{"labelSelector": self.selector}] if self.selector else [{}]


async def fetch(cluster: Cluster, listing: Listing) -> Outcome:
    """Every page of a list, as received, one after the other."""
    pages: list[bytes] = []
    note = ""
    try:
        for query in listing.queries():
            reply, restarted = await _pages(cluster, listing, query, pages)
            note = note or restarted
            if reply.status != 200 or reply.broken:
                return _failed(listing, reply, pages)
    except TroubleError as trouble:
        if pages:
            return Outcome(status=Status.PARTIAL, cause=Cause.TRUNCATED, detail=trouble.detail, payload=_joined(pages))
        return outcome_of_trouble(trouble)
    return Outcome(status=Status.CAPTURED, payload=_joined(pages), detail=note)


async def _pages(cluster: Cluster, listing: Listing, query: Mapping[str, str], pages: list[bytes]) -> tuple[Reply, str]:
    """Append the pages of one query; the last answer, and whether the list had to begin again."""
    start, token, note = len(pages), "", ""
    while True:
        asked = {**query, "limit": str(PAGE), **({"continue": token} if token else {})}
        reply = await again(partial(cluster.get, listing.path, asked, accept=TABLE if listing.is_of_secrets else JSON))
        if reply.status == 410 and token and not note:
            del pages[start:]
            token, note = "", "the list was begun again: its first pages had expired (410)"
            continue
        if listing.is_of_secrets:
            reply = without_values(reply)
        if reply.status != 200 or reply.broken:
            return reply, note
        token, broken = _next(reply.body)
        if broken:
            return replace(reply, broken=broken), note
        pages.append(reply.body)
        if not token:
            return reply, note


def _next(body: bytes) -> tuple[str, str]:
    """The token of the next page, and why a page is none; one of the two is empty.

    Raises:
        TroubleError: it is something else than a list.
    """
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if "truncated" in str(error):
            return "", f"the JSON document ends in the middle, after {len(body)} bytes"
        raise TroubleError(Cause.NOT_THE_FORM, f"no list was sent: {error}; {message(body)}") from error
    if not isinstance(document, dict) or not str(document.get("kind", "")).endswith(("List", "Table")):
        raise TroubleError(Cause.NOT_THE_FORM, f"no list was sent: {message(body)}")
    return str(mapping(document, "metadata").get("continue") or ""), ""


def _failed(listing: Listing, reply: Reply, pages: list[bytes]) -> Outcome:
    """What is there of a list that could not be read to its end."""
    kept = [*pages, *([reply.body] if reply.status == 200 and reply.body else [])]
    said = outcome_of(listing.ask.kind, reply)
    if kept:
        why = said.detail or reply.broken
        return Outcome(status=Status.PARTIAL, cause=Cause.TRUNCATED, detail=why, payload=_joined(kept))
    if said.status is Status.ABSENT:  # it was discovered, and is not given: that is not the same as none
        return Outcome(status=Status.FAILED, cause=Cause.NOT_IN_SOURCE, detail=said.detail)
    return said


def objects(outcome: Outcome) -> tuple[KubernetesObject, ...]:
    """The objects of a list; those of a cut one too, as far as it is whole pages."""
    if outcome.payload is None:
        return ()
    try:
        return decode(outcome.payload)
    except NotTheFormError:
        return tuple(one for page in outcome.payload.splitlines() for one in _whole(page))


def _whole(page: bytes) -> tuple[KubernetesObject, ...]:
    """The objects of one page; none where it is cut."""
    try:
        return decode(page)
    except NotTheFormError:
        return ()


def _joined(pages: list[bytes]) -> bytes:
    """Pages as received; a newline only between those that end without one."""
    return b"".join(page if page.endswith(b"\n") or page is pages[-1] else page + b"\n" for page in pages)


@dataclass(frozen=True, kw_only=True)
class ListWork:
    """Fetches one list; `then` is told what is in it."""

    cluster: Cluster
    listing: Listing
    then: Callable[[tuple[KubernetesObject, ...]], None] | None = None

    async def __call__(self, record: Record) -> None:
        """Fetch it, and keep what became of it."""
        outcome = await fetch(self.cluster, self.listing)
        record(self.listing.ask, outcome)
        if self.then:
            self.then(objects(outcome))
