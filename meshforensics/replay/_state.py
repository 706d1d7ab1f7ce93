"""What a bundle held as of one instant: objects by resource, pages and logs by pod."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from meshforensics.bundle import Bundle
from meshforensics.formats import versions
from meshforensics.formats.kubernetes import KubernetesObject, decode
from meshforensics.formats.pages import PAGES
from meshforensics.formats.resources import PROMISED, RESOURCES, Resource, resource_of, resource_of_item
from meshforensics.model import MESH, Cause, Item, NotTheFormError, Status, format_time, pod_of
from meshforensics.replay._made import Body, printed, stand_in
from meshforensics.tables import visible

_OBJECTS = (
    "foreign.events", "foreign.secrets", "foreign.top-pods", "foreign.nodes", "foreign.pods", "foreign.crs",
    "foreign.k8s-cluster-resources", "foreign.k8s-resources", "kubernetes.",
)  # fmt: skip
"""Items that hold objects, the ones that count more later."""
_NO_OBJECTS = ("kubernetes.version",)
_REFUSED = (Cause.FORBIDDEN, Cause.NOT_PERMITTED)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Name = tuple[str, str]
"""Namespace (empty where there is none) and name."""
Decoded = dict[str, tuple[KubernetesObject, ...] | None]
"""Objects by the id of the item that holds them; None of one that holds something else."""


@dataclass(frozen=True, kw_only=True)
class Lack:
    """Why something is not served.

    Attributes:
        why: what is missing, and why.
        refused: whether the captured API server refused it.
    """

    why: str
    refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The captured objects of one resource, by namespace and name, sorted."""

    resource: Resource
    objects: Mapping[Name, Body]


class State:
    """A bundle as of `at`: the newest item of each kind and subject that is not later."""

    def __init__(self, bundle: Bundle, at: datetime | None, decoded: Decoded | None = None) -> None:
        self.bundle = bundle
        self.at = at
        self._decodings = {} if decoded is None else decoded
        self._stored = {(item.kind, item.subject): item for item in visible(bundle.items, at, over_time=False)}

    @cached_property
    def shelves(self) -> dict[tuple[str, str], Shelf]:
        """Every resource of which the bundle tells, by group and plural; an empty shelf was captured empty."""
        resources: dict[tuple[str, str], Resource] = {}
        objects: dict[tuple[str, str], dict[Name, Body]] = {}
        for item in self._holders():
            found = self._decoded(item)
            for told in _promised(item.kind) if found is not None else ():
                _add(resources, told)
            for one in found or ():
                made = resource_of(one.kind, one.api_version, namespaced=one.namespace is not None)
                version = one.api_version.rpartition("/")[2] or made.versions[0]
                _add(resources, replace(made, versions=(version,)))
                objects.setdefault((made.group, made.plural), {})[one.namespace or "", one.name] = _whole(one)
        self._stand_in(resources, objects)
        return {
            key: Shelf(resource=resource, objects=dict(sorted(objects.get(key, {}).items())))
            for key, resource in sorted(resources.items())
        }

    @cached_property
    def known(self) -> dict[tuple[str, str], Resource]:
        """The resources that discovery names: those captured, and those that could have been."""
        could = {(each.group, each.plural): each for each in RESOURCES}
        return {**could, **{key: shelf.resource for key, shelf in self.shelves.items()}}

    @cached_property
    def version(self) -> str:
        """The resource version of every list: when the newest object was captured, in microseconds."""
        newest = max((item.captured_at for item in self._holders() if item.captured_at), default=None)
        return str((newest - _EPOCH) // timedelta(microseconds=1)) if newest else "1"

    def settle(self) -> None:
        """Make everything that is made once."""
        _ = self.shelves, self.known, self.version, self._by_name

    def pod(self, namespace: str, name: str) -> Body | None:
        """The object of a pod; None where only other evidence of it was captured, or none."""
        shelf = self.shelves.get(("", "pods"))
        return shelf.objects.get((namespace, name)) if shelf else None

    def read(self, kind: str, subject: str) -> bytes | None:
        """The captured bytes; None when there are none as of `at`."""
        item = self._stored.get((kind, subject))
        return self.bundle.read(item) if item else None

    def kinds_of(self, subject: str) -> tuple[str, ...]:
        """The kinds that were captured of a subject, sorted."""
        return tuple(sorted(kind for kind, whose in self._stored if whose == subject))

    def ports_of(self, subject: str) -> frozenset[int]:
        """The ports of a pod of which at least one page was captured."""
        held = set(self.kinds_of(subject))
        return frozenset(page.port for page in PAGES if page.kind in held)

    def lack(self, kind: str, subject: str) -> Lack:
        """Why there is nothing of `kind` for `subject`, in words that name the item."""
        named = self._by_name.get((kind, subject), [])
        later = [item.captured_at for item in named if item.stored and item.captured_at]
        if later:
            first = format_time(min(later))
            return Lack(why=f"{_named(kind, subject)} was captured later, at {first}; this is {format_time(self.at)}")
        told = next((item for item in reversed(named) if not item.stored), None)
        if told is None:
            return Lack(why=f"{_named(kind, subject)} is not in this bundle: it was not captured")
        return Lack(why=_said(told), refused=told.cause in _REFUSED)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], list[Item]]:
        """Every item of the bundle, also of what is missing, by kind and subject."""
        found: dict[tuple[str, str], list[Item]] = {}
        for item in self.bundle.items:
            found.setdefault((item.kind, item.subject), []).append(item)
        return found

    def _holders(self) -> Iterator[Item]:
        """The items that hold objects, those that count more later."""
        for beginning in _OBJECTS:
            found = [
                item
                for (kind, _), item in self._stored.items()
                if kind.startswith(beginning) and kind not in _NO_OBJECTS
            ]
            yield from sorted(found, key=lambda item: (format_time(item.captured_at) or "", item.id))

    def _decoded(self, item: Item) -> tuple[KubernetesObject, ...] | None:
        """The objects of an item, or those that a table tells of that kubectl printed; None when it tells of none."""
        if item.id not in self._decodings:
            payload = self.bundle.read(item)
            try:
                self._decodings[item.id] = decode(payload)
            except NotTheFormError:
                self._decodings[item.id] = printed(item, payload)
        return self._decodings[item.id]

    def _revision(self) -> str:
        """The revision of every istiod that a report lists; empty where it lists none, or several."""
        payload = self.read("foreign.versions", MESH)
        try:
            listed = versions.decode(payload) if payload is not None else ()
        except NotTheFormError:
            return ""
        found = {one.revision for one in listed if one.component == "pilot"}
        return found.pop() if len(found) == 1 else ""

    def _stand_in(
        self, resources: dict[tuple[str, str], Resource], objects: dict[tuple[str, str], dict[Name, Body]]
    ) -> None:
        """Give a bare Pod to each pod of which pages or logs were captured, and its object was not."""
        pods = objects.setdefault(("", "pods"), {})
        kinds: dict[Name, set[str]] = {}
        for kind, subject in self._stored:
            owner = pod_of(subject)
            if owner and owner not in pods:
                kinds.setdefault(owner, set()).add(kind)
        revision = self._revision()
        pods.update({owner: stand_in(*owner, held, revision) for owner, held in kinds.items()})
        if pods:
            _add(resources, resource_of("Pod", "v1"))


def _promised(item_kind: str) -> Iterator[Resource]:
    """The resources of which an item tells by its kind, even where it holds no object of them."""
    told = resource_of_item(item_kind)
    if told:
        yield told
    kinds = PROMISED.get(item_kind, frozenset())
    yield from (each for each in RESOURCES if each.kind in kinds)


def _add(resources: dict[tuple[str, str], Resource], resource: Resource) -> None:
    """Keep a resource, with every version that was seen of it."""
    key = (resource.group, resource.plural)
    held = resources.get(key)
    versions = (*held.versions, *(each for each in resource.versions if each not in held.versions)) if held else ()
    resources[key] = replace(resource, versions=versions or resource.versions)


def _whole(one: KubernetesObject) -> Body:
    """The object as a GET gives it: members of typed lists lack their kind."""
    return {"apiVersion": one.api_version or "v1", "kind": one.kind, **one.body}


def _said(item: Item) -> str:
    cause = f", {item.cause}" if item.cause else ""
    detail = f": {item.detail}" if item.detail else ""
    status = "absent at the capture" if item.status is Status.ABSENT else f"{item.status}{cause}"
    return f"{_named(item.kind, item.subject)} is not in this bundle ({status}){detail}"


def _named(kind: str, subject: str) -> str:
    return kind if subject == MESH else f"{kind} of {subject}"
