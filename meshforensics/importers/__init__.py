"""Importers: foreign layouts into bundles; one module a layout."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from os import PathLike, fspath

from meshforensics.bundle import Bundle, BundleWriter, is_bundle, open_bundle
from meshforensics.importers._declare import Found, Importer
from meshforensics.importers._mesh import same_mesh
from meshforensics.importers._source import Member, Source, open_source
from meshforensics.model import SourceError, gather

__all__ = [
    "Found",
    "Importer",
    "Member",
    "Source",
    "declared_importers",
    "import_evidence",
    "open_source",
    "recognise",
]

Progress = Callable[[str], None]


@cache
def declared_importers() -> dict[str, Importer]:
    """Every importer that a module of this room declares, by id."""
    import meshforensics.importers as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Importer)


def recognise(source: Source) -> Importer | None:
    """The importer whose layout `source` has; None when nobody knows it.

    Raises:
        SourceError: two importers both recognise it.
    """
    found = [each for each in declared_importers().values() if each.recognises(source)]
    if len(found) > 1:
        names = " and ".join(each.id for each in found)
        raise SourceError(
            f"{source.path} is recognised by {names}; that is a fault of meshforensics, please report it"
        )
    return found[0] if found else None


def import_evidence(
    sources: Sequence[str | PathLike[str]],
    into: str,
    *,
    redact_hosts: bool = False,
    progress: Progress | None = None,
) -> Bundle:
    """Read foreign sources of one mesh into one bundle; the same evidence twice is kept once.

    Args:
        sources: folders, archives, files, or bundles of ours.
        into: path or URL of the bundle; ``.zip`` seals it.
        redact_hosts: replace addresses by pseudonyms.
        progress: called with one line per source.

    Raises:
        SourceError: a source is not there, is nothing that is known, could do harm, or is of another mesh.
        BundleError: `into` exists, or a source is a damaged bundle.
    """
    read = [(fspath(path), *_read(fspath(path), progress)) for path in sources]
    mesh = same_mesh({f"{path} ({found.mesh})": found.mesh for path, _, items in read for found in items})
    layout = " + ".join(dict.fromkeys(layout for _, layout, _ in read))
    with BundleWriter(into, mesh=mesh or "-", layout=layout, redact_hosts=redact_hosts) as writer:
        items = _once(found for _, _, found_items in read for found in found_items)
        writer.plan((found.kind, found.subject) for found in items)
        for found in items:
            _write(writer, found)
        return writer.seal()


def _read(path: str, progress: Progress | None) -> tuple[str, list[Found]]:
    if progress:
        progress(f"reading {path}")
    if is_bundle(path):
        return "bundle", list(_of_bundle(open_bundle(path)))
    source = open_source(path)
    importer = recognise(source)
    if importer is None:
        raise SourceError(
            f"{path} holds nothing that is known as evidence of a mesh; give a bundle, an istioctl bug-report, or "
            "files of Envoy's admin port, istiod or Kubernetes"
        )
    return importer.id, list(importer.read(source))


def _of_bundle(bundle: Bundle) -> Iterable[Found]:
    for item in bundle.items:
        yield Found(
            kind=item.kind,
            subject=item.subject,
            load=partial(bundle.read, item) if item.stored else None,
            digest=item.sha256 or "",
            captured_at=item.captured_at,
            time_source=item.time_source,
            status=item.status,
            cause=item.cause,
            detail=item.detail,
            mesh="" if bundle.mesh == "-" else bundle.mesh,
        )


def _once(items: Iterable[Found]) -> list[Found]:
    seen: set[tuple[object, ...]] = set()
    kept = []
    for found in items:
        key = (found.kind, found.subject, found.captured_at, found.status, found.digest)
        if key not in seen:
            seen.add(key)
            kept.append(found)
    return kept


def _write(writer: BundleWriter, found: Found) -> None:
    if found.load is None:
        writer.miss(
            found.kind,
            found.subject,
            status=found.status,
            cause=found.cause,
            detail=found.detail,
            captured_at=found.captured_at,
            time_source=found.time_source,
        )
        return
    writer.add(
        found.kind,
        found.subject,
        found.load(),
        captured_at=found.captured_at,
        time_source=found.time_source,
        status=found.status,
        cause=found.cause,
        detail=found.detail,
    )
