"""Kubernetes objects: a List, one object, several documents of YAML or JSON, or a bare array.

Objects stay whole (`body`), because every kind has fields of its own; what all kinds share has a name here.
An item of a typed list (``PodList``) may lack its kind, which the list's kind then says. A Table of Secrets gives
Secrets without values.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from meshforensics.formats._json import decode_json, several_json
from meshforensics.formats._yaml import documents
from meshforensics.formats.server_table import ServerRow, is_of_secrets, rows_of
from meshforensics.model import NotTheFormError, TruncatedError

_WHAT = "Kubernetes objects"
STAND_IN = "meshforensics.dev/stand-in"
"""Annotation of an object that our own replay made because none was captured; it says out of what."""


class KubernetesObject(msgspec.Struct, frozen=True):
    """One object, and where it stands; `cells` are what an API server prints of it, where it is a row of a Table."""

    kind: str
    api_version: str
    namespace: str | None
    name: str
    pointer: str
    body: dict[str, Any]
    cells: dict[str, Any] = {}

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    @property
    def object(self) -> str:
        """``Kind:namespace/name``, or ``Kind:name`` where there is no namespace."""
        return object_id(self.kind, self.namespace, self.name)

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata; empty where there is none."""
        return mapping(self.body, "metadata")

    @property
    def spec(self) -> dict[str, Any]:
        """Its spec; empty where there is none."""
        return mapping(self.body, "spec")

    @property
    def status(self) -> dict[str, Any]:
        """Its status; empty where there is none."""
        return mapping(self.body, "status")

    @property
    def labels(self) -> dict[str, Any]:
        """Its labels."""
        return mapping(self.metadata, "labels")

    @property
    def annotations(self) -> dict[str, Any]:
        """Its annotations."""
        return mapping(self.metadata, "annotations")

    @property
    def stands_in(self) -> bool:
        """Whether it is a Pod of which nothing is known but that there were pages or logs of it."""
        return self.kind == "Pod" and STAND_IN in self.annotations

    @property
    def created_at(self) -> str | None:
        """When it was created."""
        return text(self.metadata, "creationTimestamp")

    @property
    def deleted_at(self) -> str | None:
        """When its deletion was asked for; None while nobody has."""
        return text(self.metadata, "deletionTimestamp")

    @property
    def owner(self) -> tuple[str, str] | None:
        """Kind and name of the controlling owner, else of the first one."""
        owners = members(self.metadata, "ownerReferences")
        chosen = next((one for one in owners if one.get("controller") is True), owners[0] if owners else None)
        return (str(chosen.get("kind", "")), str(chosen.get("name", ""))) if chosen else None

    @property
    def changed(self) -> tuple[str | None, str | None]:
        """When and by whom it was last changed, beside its status, as far as managedFields say."""
        entries = [
            (str(one["time"]), text(one, "manager"))
            for one in members(self.metadata, "managedFields")
            if one.get("time") and not _of_status(one)
        ]
        return max(entries, key=lambda entry: entry[0], default=(None, None))


def object_id(kind: str, namespace: str | None, name: str) -> str:
    """How an object is named everywhere: ``Kind:namespace/name``.

    >>> object_id("Pod", "shop", "web-1"), object_id("Node", None, "worker-1")
    ('Pod:shop/web-1', 'Node:worker-1')
    """
    return f"{kind}:{namespace}/{name}" if namespace else f"{kind}:{name}"


def mapping(of: dict[str, Any], key: str) -> dict[str, Any]:
    """The mapping under `key`; empty where there is none."""
    value = of.get(key)
    return value if isinstance(value, dict) else {}


def members(of: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The mappings in the list under `key`; empty where there is none."""
    value = of.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(of: dict[str, Any], key: str) -> str | None:
    """The text under `key`; None where there is none."""
    value = of.get(key)
    return value if isinstance(value, str) and value else None


def _of_status(entry: dict[str, Any]) -> bool:
    if entry.get("subresource") == "status":
        return True
    return set(mapping(entry, "fieldsV1")) == {"f:status"}


def decode(payload: bytes) -> tuple[KubernetesObject, ...]:
    """Every object of the payload, in order.

    Raises:
        TruncatedError: the payload ends before the form does.
        NotTheFormError: a document of it is neither an object nor a list of objects.
    """
    if not payload.strip():
        raise NotTheFormError(f"empty, where {_WHAT} were expected")
    made = tuple(_objects(_documents(payload)))
    if not made and _says_nothing(payload):
        raise NotTheFormError(f"not {_WHAT}: nothing but comments")
    return made


def _says_nothing(payload: bytes) -> bool:
    return all(line.lstrip()[:1] in (b"", b"#") or line.startswith(b"---") for line in payload.splitlines())


def _documents(payload: bytes) -> Iterable[Any]:
    body = payload.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] not in (b"{", b"["):
        return documents(payload, what=_WHAT)
    try:
        return [decode_json(payload, what=_WHAT)]
    except TruncatedError:
        raise
    except NotTheFormError as error:
        several = several_json(body)
        if several is None:
            return _yaml_or(payload, error)
        return [decode_json(one, what=_WHAT) for _, one in several]


def _yaml_or(payload: bytes, error: NotTheFormError) -> list[Any]:
    """YAML that begins like JSON; else the complaint about the JSON, which says more."""
    try:
        return list(documents(payload, what=_WHAT))
    except TruncatedError:
        raise
    except NotTheFormError:
        raise error from None


def _objects(found: Iterable[Any]) -> Iterator[KubernetesObject]:
    for number, document in enumerate(found, start=1):
        base = f"#doc{number}" if number > 1 else ""
        if isinstance(document, list):
            yield from _members(document, base, "", "")
        elif isinstance(document, dict):
            yield from _document(document, base)
        elif document is not None:
            raise NotTheFormError(f"not {_WHAT}: {_beginning(document)}")


def _document(document: dict[str, Any], base: str) -> Iterator[KubernetesObject]:
    kind = document.get("kind")
    if is_of_secrets(document):
        yield from map(_listed_secret, rows_of(document, base))
        return
    if "items" not in document or not (kind is None or str(kind).endswith("List")):
        yield _object(document, base, "", "")
        return
    items = document["items"]
    if kind is None and "apiVersion" in document:
        raise TruncatedError(f"{_WHAT} that end in the middle: the list does not come to its kind")
    if not isinstance(items, list | None):
        raise NotTheFormError(f"not {_WHAT}: items is no list")
    of = str(kind or "").removesuffix("List")
    yield from _members(items or [], f"{base}/items", of, str(document.get("apiVersion", "")))


def _listed_secret(row: ServerRow) -> KubernetesObject:
    """A Secret as a Table tells it: metadata and type; it has no `data`, which is not the same as an empty one."""
    name = str(row.metadata.get("name") or row.cells.get("Name", ""))
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": row.metadata, "type": row.cells.get("Type", "")}
    return KubernetesObject("Secret", "v1", text(row.metadata, "namespace"), name, row.pointer, body, row.cells)


def _members(items: list[Any], base: str, kind: str, api_version: str) -> Iterator[KubernetesObject]:
    for index, one in enumerate(items):
        pointer = f"{base}/{index}"
        if not isinstance(one, dict):
            raise NotTheFormError(f"not {_WHAT}: {pointer} is {_beginning(one)}")
        if str(one.get("kind", "")).endswith("List") and "items" in one:
            yield from _document(one, pointer)
        else:
            yield _object(one, pointer, kind, api_version)


def _object(body: dict[str, Any], pointer: str, kind: str, api_version: str) -> KubernetesObject:
    own = body.get("kind") or kind
    if not isinstance(own, str) or not own:
        raise NotTheFormError(f"not {_WHAT}: {pointer or 'the document'} has no kind; {_beginning(body)}")
    metadata = mapping(body, "metadata")
    return KubernetesObject(
        kind=own,
        api_version=str(body.get("apiVersion") or api_version),
        namespace=text(metadata, "namespace"),
        name=str(metadata.get("name") or ""),
        pointer=pointer,
        body=body,
    )


def _beginning(value: object) -> str:
    if isinstance(value, dict):
        return f"it holds {', '.join(str(key) for key in list(value)[:4])}"
    return f"a text that begins {value[:40]!r}" if isinstance(value, str) else f"{str(value)[:40]}"
