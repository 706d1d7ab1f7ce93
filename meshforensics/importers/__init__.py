"""Importers: foreign layouts into bundles; one module a layout."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from os import PathLike, fspath
from pathlib import Path

from meshforensics.bundle import Bundle, BundleWriter, is_bundle, open_bundle
from meshforensics.formats.sniff import sniff
from meshforensics.importers._declare import Found, Importer, digest_of, missing
from meshforensics.importers._merge import merge
from meshforensics.importers._mesh import Mesh, mesh_of, same_mesh
from meshforensics.importers._source import Member, Source, open_source
from meshforensics.importers._time import UNKNOWN
from meshforensics.model import MESH, Cause, SourceError, Status, UsageError, gather
from meshforensics.model.words import count_of

__all__ = [
    "Found",
    "Importer",
    "Member",
    "Mesh",
    "Source",
    "declared_importers",
    "digest_of",
    "import_evidence",
    "importer_of",
    "missing",
    "open_source",
    "recognise",
]

Progress = Callable[[str], None]


@cache
def declared_importers() -> Mapping[str, Importer]:
    """Every importer that a module of this room declares, by id."""
    import meshforensics.importers as room  # noqa: PLC0415 - the room looks at itself

    return gather(room, Importer)


def recognise(path: str | PathLike[str]) -> Importer | None:
    """The importer whose layout the source at `path` has; None when nobody knows it.

    Raises:
        SourceError: it is not there, could do harm, or two importers recognise it.
    """
    return importer_of(open_source(fspath(path)), declared_importers())


def importer_of(source: Source, importers: Mapping[str, Importer]) -> Importer | None:
    """The one of some importers whose layout `source` has.

    Raises:
        SourceError: two recognise it; order never decides.
    """
    found = [importers[name] for name in sorted(importers) if importers[name].recognises(source)]
    if len(found) > 1:
        names = " and ".join(each.id for each in found)
        raise SourceError(f"{source.path} is recognised by {names}; a fault of meshforensics: please report it")
    return found[0] if found else None


def import_evidence(
    sources: Sequence[str | PathLike[str]],
    into: str,
    *,
    redact_hosts: bool = False,
    pseudonym_key: bytes = b"",
    level: int = 3,
    progress: Progress | None = None,
) -> Bundle:
    """Read foreign sources of one mesh into one bundle; the same evidence twice is kept once.

    Args:
        sources: folders, archives, files, bundles of ours, or folders of such bundles.
        into: path or URL of the bundle; ``.zip`` seals it.
        redact_hosts: replace addresses by pseudonyms.
        pseudonym_key: what pseudonyms are keyed by, so that those of several bundles are alike; by default it is
            made of the evidence, so that the same evidence gives the same bundle.
        level: of zstd, 1 to 22; 19 makes a bundle a fifth smaller, and takes ten times as long.
        progress: called with one line per source.

    Raises:
        SourceError: a source is not there, is nothing that is known, could do harm, or is of another mesh.
        BundleError: `into` exists, or a source is a damaged bundle.
    """
    if not sources:
        raise UsageError("no source given; name a bundle, a bug-report or an admin file")
    read = [_read(fspath(path), progress) for path in sources]
    items = merge(found for _, found_items in read for found in found_items)
    _refuse_useless(items, ", ".join(fspath(path) for path in sources))
    mesh = same_mesh(found.mesh for found in items if found.mesh)
    layout = " + ".join(dict.fromkeys(layout for layout, _ in read))
    key = pseudonym_key or partial(_key_of, items)
    mesh = mesh or "-"
    with BundleWriter(
        into, mesh=mesh, layout=layout, redact_hosts=redact_hosts, pseudonym_key=key, level=level
    ) as writer:
        writer.plan((found.kind, found.subject, found.captured_at) for found in items)
        for found in items:
            _write(writer, found)
        return writer.seal()


def _read(path: str, progress: Progress | None) -> tuple[str, list[Found]]:
    if progress:
        progress(f"reading {path}")
    held = [path] if is_bundle(path) else _bundles_in(path)
    if held:
        return "bundle", [found for each in held for found in _of_bundle(open_bundle(each))]
    source = open_source(path)
    importer = importer_of(source, declared_importers())
    if importer is None:
        raise SourceError(_nothing_known(source))
    return importer.id, [*_of_archive(source), *importer.read(source)]


def _bundles_in(path: str) -> list[str]:
    """The bundles that a folder holds, as ``before`` and ``during``, where it holds no folder that is none."""
    folders = sorted(each for each in Path(path).glob("*") if each.is_dir()) if Path(path).is_dir() else []
    held = [str(each) for each in folders if is_bundle(str(each))]
    return held if len(held) == len(folders) else []


_SCRAPES = ("istiod.metrics", "agent.metrics", "ztunnel.metrics", "linkerd.metrics")
_BY_LINE = ("log.", "envoy.stats", "envoy.clusters", "envoy.listeners", *_SCRAPES)
"""Kinds that are read to their last whole line when they are cut."""


def _refuse_useless(items: Sequence[Found], sources: str) -> None:
    """Refuse sources of which not one item can be used."""
    if any(
        found.status is Status.CAPTURED or (found.status is Status.PARTIAL and found.kind.startswith(_BY_LINE))
        for found in items
    ):
        return
    first = next((found for found in items if found.load is not None), items[0] if items else None)
    why = f": {first.kind} is {first.status} ({first.detail})" if first else ""
    raise SourceError(f"nothing of {sources} can be used{why}; capture it again")


def _key_of(items: Sequence[Found]) -> bytes:
    """A key made of all bytes as received, secrets included, slowly: who has the bundle alone cannot make it."""
    received = "".join(sorted({found.digest for found in items}))
    return hashlib.scrypt(received.encode(), salt=b"meshforensics pseudonyms", n=2**14, r=8, p=1, dklen=32)


def _nothing_known(source: Source) -> str:
    """Why a source is no evidence: of one file, what it is instead."""
    cure = "give a bundle, an istioctl bug-report, or files of Envoy's admin port, istiod or Kubernetes"
    if len(source.members) > 1:
        count = len(source.members)
        return f"{source.path} holds nothing that is known as evidence of a mesh ({count_of(count, 'file')}); {cure}"
    what = sniff(source.read(source.members[0]), source.members[0].name)
    said = {"empty": "it is empty", "truncated": "it ends in the middle"}.get(what.problem, "it is no known form")
    return f"{source.path} is no evidence of a mesh: {said} ({what.detail}); {cure}"


def _of_archive(source: Source) -> Iterator[Found]:
    """What is wrong with the archives that the evidence came in."""
    for folder, why in sorted(source.damage.items()):
        detail = f"{folder}: {why}" if folder else why
        yield missing("foreign.archive", MESH, UNKNOWN, status=Status.FAILED, cause=Cause.TRUNCATED, detail=detail)


def _of_bundle(bundle: Bundle) -> Iterator[Found]:
    mesh = _mesh_of(bundle)
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
            mesh=mesh,
        )


def _mesh_of(bundle: Bundle) -> Mesh:
    """The mesh of a bundle: as its report's ``cluster-context`` says it, else by its name."""
    context = next((item for item in bundle.items if item.kind == "foreign.cluster-context" and item.stored), None)
    if context and context.status is Status.CAPTURED:
        return mesh_of(bundle.url, bundle.read(context))
    return Mesh(report=bundle.url, name="" if bundle.mesh == "-" else bundle.mesh)


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
