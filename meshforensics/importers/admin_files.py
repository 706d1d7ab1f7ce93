"""Loose files: what Envoy's admin port, istiod, kubectl or a logging system gave, alone or in folders."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from meshforensics.formats.config_dump import subject_of
from meshforensics.formats.sniff import Sniffed, sniff
from meshforensics.importers import bug_report
from meshforensics.importers._declare import Found, Importer, digest_of
from meshforensics.importers._logs import read_part, split_previous
from meshforensics.importers._source import Member, Source
from meshforensics.importers._status import worth
from meshforensics.importers._time import UNKNOWN, Captured, from_archive, from_evidence, from_updates
from meshforensics.model import MESH, Cause, Status

_OF_A_PROXY = ("envoy.", "ztunnel.", "linkerd.", "log.", "istiod.", "agent.")
_LOOKED_AT = 4 * 1024 * 1024


def _recognises(source: Source) -> bool:
    """At least one file of a known form, and no bug-report."""
    if bug_report.bug_report.recognises(source):
        return False
    return any(sniff(source.read(member)).kind != "unknown" for member in source.members)


def _read(source: Source) -> Iterator[Found]:
    when = _newest(source)
    for member in source.members:
        yield from _member(source, member, source.read(member), when)


def _newest(source: Source) -> Captured:
    """The archive's time, else the newest time inside the evidence."""
    archive = from_archive(member.modified for member in source.members)
    if archive.at is not None:
        return archive
    small = (member for member in source.members if member.size <= _LOOKED_AT)
    times = [each for member in small for each in _times(source.read(member)) if each.at is not None]
    return max(times, key=lambda captured: captured.at or datetime.min.replace(tzinfo=UTC), default=UNKNOWN)


def _times(payload: bytes) -> tuple[Captured, Captured]:
    return from_evidence([payload]), from_updates(payload)


def _member(source: Source, member: Member, payload: bytes, when: Captured) -> Iterator[Found]:
    what = sniff(payload)
    subject = _subject(member, payload, what)
    if what.problem:
        load = partial(source.read, member) if payload else None
        yield replace(_unusable(what, subject, when), load=load, digest=digest_of(payload))
        return
    for kind, content in split_previous(what.kind, payload):
        status, cause, detail = worth(kind, content, cut=member.cut)
        yield Found(
            kind=kind,
            subject=subject,
            load=partial(read_part, source, member, what.kind, kind) if content else None,
            digest=digest_of(content),
            captured_at=when.at,
            time_source=when.source,
            status=status,
            cause=cause,
            detail=detail or member.name,
        )


def _unusable(what: Sniffed, subject: str, when: Captured) -> Found:
    causes = {"empty": Cause.EMPTY, "truncated": Cause.TRUNCATED, "not-the-form": Cause.NOT_THE_FORM}
    cut = what.problem == "truncated"
    return Found(
        kind=what.kind,
        subject=subject,
        load=None,
        digest="",
        captured_at=when.at,
        time_source=when.source,
        status=Status.PARTIAL if cut else Status.FAILED,
        cause=causes[what.problem],
        detail=what.detail,
    )


def _subject(member: Member, payload: bytes, what: Sniffed) -> str:
    """The node id of the evidence, else the folders that it lies in, else its name."""
    if not what.kind.startswith(_OF_A_PROXY):
        return MESH
    named = _node(payload, what.kind)
    if named:
        return named
    folders = member.name.split("/")[:-1]
    if len(folders) >= 2:
        return "/".join(folders[-2:])
    stem = member.name.split("/")[-1].split(".")[0] or "file"
    return f"unknown/{folders[-1] if folders else stem}"


def _node(payload: bytes, kind: str) -> str:
    """``namespace/pod`` of the node id that a dump or /server_info holds."""
    if kind not in {"envoy.config_dump", "envoy.server_info"}:
        return ""
    for node in _nodes(payload):
        if isinstance(node, dict) and isinstance(node.get("id"), str):
            subject = subject_of(node["id"])
            if subject:
                return subject
    return ""


def _nodes(payload: bytes) -> Iterator[Any]:
    try:
        outer = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return
    if not isinstance(outer, dict):
        return
    yield outer.get("node")
    configs = outer.get("configs")
    sections = list(configs.values()) if isinstance(configs, dict) else configs
    for section in sections if isinstance(sections, list) else []:
        bootstrap = section.get("bootstrap") if isinstance(section, dict) else None
        if isinstance(bootstrap, dict):
            yield bootstrap.get("node")


admin_files = Importer(
    id="admin-files",
    about="Loose files of Envoy's admin port, istiod or Kubernetes, alone, in a folder or in an archive.",
    recognises=_recognises,
    read=_read,
)
