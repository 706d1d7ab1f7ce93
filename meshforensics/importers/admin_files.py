"""Loose files: what Envoy's admin port, istiod, kubectl or a logging system gave, alone or in folders."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from meshforensics.formats.sniff import Sniffed, kind_of_name, sniff
from meshforensics.formats.worth import worth
from meshforensics.importers import bug_report
from meshforensics.importers._declare import Found, Importer, digest_of, missing
from meshforensics.importers._logs import read_part, split_previous
from meshforensics.importers._source import Member, Source
from meshforensics.importers._time import Captured, credible, from_archive, from_evidence, newest, read_time
from meshforensics.model import MESH, Cause, Status

_OF_A_POD = ("envoy.", "ztunnel.", "linkerd.", "log.", "istiod.", "agent.", "foreign.cni-log")
_CAUSES = {"empty": Cause.EMPTY, "truncated": Cause.TRUNCATED, "not-the-form": Cause.NOT_THE_FORM}
_TIME_FOLDER = re.compile(r"\d{8}T\d{6}Z")
_ENDING = re.compile(r"\.(?:json|ya?ml|txt|log|prom|gz)$")
_LABELS = {"before", "during", "after", "series"}
_GATHERED = re.compile(r"(?:^|/)namespaces/(?P<namespace>[^/]+)/pods/(?P<pod>[^/]+)/")


class _Dump(msgspec.Struct):
    """A dump that lies under names."""

    configs: msgspec.Raw


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file: what it is, and the newest time that it speaks of."""

    member: Member
    what: Sniffed
    speaks_of: Captured


def _recognises(source: Source) -> bool:
    """At least one file of a known form, and no bug-report."""
    if bug_report.bug_report.recognises(source):
        return False
    return any(sniff(source.read(member), member.name).kind != "unknown" for member in source.members)


def _read(source: Source) -> Iterator[Found]:
    files = [_look(source, member) for member in source.members]
    groups: dict[str, list[_File]] = defaultdict(list)
    for file in files:
        groups[_group(file.member.name)].append(file)
    for name, group in sorted(groups.items()):
        when = _when(name, group)
        nodes = _nodes(group)
        subjects = {file: _subject(source, name, file, nodes) for file in group}
        alike = Counter((file.what.kind, subject) for file, subject in subjects.items())
        for file, subject in subjects.items():
            several = alike[file.what.kind, subject] > 1 and file.speaks_of.at is not None
            yield from _items(source, file, subject, file.speaks_of if several else when)


def _look(source: Source, member: Member) -> _File:
    payload = source.read(member)
    what = sniff(payload, member.name)
    return _File(member=member, what=what, speaks_of=from_evidence(what.kind, payload))


def _group(name: str) -> str:
    """The folder that was captured at one time: down to the last that is a time or says before or after what."""
    folders = name.split("/")[:-1]
    marks = [at for at, folder in enumerate(folders) if folder in _LABELS or _TIME_FOLDER.fullmatch(folder)]
    return "/".join(folders[: marks[-1] + 1]) if marks else ""


def _when(group: str, files: list[_File]) -> Captured:
    """The time that the folder is named after, else the archive's, else the newest in the evidence."""
    last = group.rpartition("/")[2]
    if _TIME_FOLDER.fullmatch(last):
        return Captured(read_time(last.encode()), "folder-name")
    archive = from_archive(file.member.modified for file in files)
    return credible(archive, newest(file.speaks_of for file in files))


def _nodes(files: list[_File]) -> dict[str, str]:
    """The folder of each proxy's dump to the proxy that its node id names, where all dumps there agree."""
    named: dict[str, set[str]] = defaultdict(set)
    for file in files:
        if file.what.subject:
            named[file.member.name.rpartition("/")[0]].add(file.what.subject)
    return {folder: subjects.pop() for folder, subjects in named.items() if len(subjects) == 1}


def _subject(source: Source, group: str, file: _File, nodes: dict[str, str]) -> str:
    """The node id inside, else that of a dump beside it, else the folders that it lies in, else its name."""
    kind, name = file.what.kind, file.member.name
    if not kind.startswith(_OF_A_POD):
        return f"File:{name.removeprefix(f'{group}/')}" if kind == "kubernetes.objects" else MESH
    folder = name.rpartition("/")[0]
    beside = nodes.get(folder) or (nodes.get(folder.rpartition("/")[0]) if name.endswith("stats/prometheus") else "")
    gathered = _GATHERED.search(name)
    if file.what.subject or (beside and kind.startswith(("envoy.", "log.istio-proxy"))):
        return file.what.subject or beside or ""
    if gathered:
        return f"{gathered['namespace']}/{gathered['pod']}"
    folders = [part for part in folder.removeprefix(group).split("/") if part]
    folders = folders[:-1] if folders and folders[-1] in {"stats", "debug"} else folders
    if len(folders) >= 2:
        return "/".join(folders[-2:])
    return f"unknown/{folders[0] if folders else _name_of(source, name.rpartition('/')[2])}"


def _name_of(source: Source, file: str) -> str:
    """What a proxy is called of which only files are known: as its file, or as the folder of files that say what."""
    stem = _ENDING.sub("", file)
    folder = Path(source.path).name
    return folder if kind_of_name(file) and folder not in {"", ".", file} else stem or file


def _items(source: Source, file: _File, subject: str, when: Captured) -> Iterator[Found]:
    what, member = file.what, file.member
    if what.kind == "unknown":
        why = f"{member.name}: {what.detail}"
        status, cause = (Status.FAILED, _CAUSES[what.problem]) if what.problem == "empty" else _SKIPPED
        yield missing("unknown", MESH, when, status=status, cause=cause, detail=why)
        return
    payload = source.read(member)
    nested = _nested(payload) if what.kind == "envoy.config_dump" else []
    for owner, start, end in nested:
        found = _found(what.kind, owner, payload[start:end], when, member)
        yield replace(found, load=partial(_slice, source, member, start, end))
    for kind, content in [] if nested else split_previous(what.kind, payload):
        found = _found(kind, subject, content, when, member)
        if what.problem:
            status = Status.PARTIAL if what.problem == "truncated" else Status.FAILED
            found = replace(found, status=status, cause=_CAUSES[what.problem], detail=f"{member.name}: {what.detail}")
        load = partial(read_part, source, member, what.kind, kind) if content else None
        yield replace(found, load=load)


_SKIPPED = (Status.SKIPPED, Cause.NOT_THE_FORM)
"""What nobody knows is listed and not stored: it may be anything that lay in the folder."""


def _found(kind: str, subject: str, content: bytes, when: Captured, member: Member) -> Found:
    status, cause, detail = worth(kind, content, cut=member.cut)
    return Found(
        kind=kind,
        subject=subject,
        load=None,
        digest=digest_of(content),
        captured_at=when.at,
        time_source=when.source,
        status=status,
        cause=cause,
        detail=f"{member.name}: {detail}" if detail else member.name,
    )


def _slice(source: Source, member: Member, start: int, end: int) -> bytes:
    return source.read(member)[start:end]


def _nested(payload: bytes) -> list[tuple[str, int, int]]:
    """Owner and span of each dump that lies under a namespace and a name, as egctl prints them."""
    if payload.lstrip()[:1] != b"{":
        return []
    spans: list[tuple[str, int, int]] = []
    try:
        for namespace, dumps in msgspec.json.decode(payload, type=dict[str, dict[str, msgspec.Raw]]).items():
            for name, dump in dumps.items():
                msgspec.json.decode(dump, type=_Dump)
                start = payload.index(bytes(dump), spans[-1][2] if spans else 0)
                spans.append((f"{namespace}/{name}", start, start + len(bytes(dump))))
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return []
    return spans


admin_files = Importer(
    id="admin-files",
    about="Loose files of Envoy's admin port, istiod or Kubernetes, alone, in a folder or in an archive.",
    recognises=_recognises,
    read=_read,
)
