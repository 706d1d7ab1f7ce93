"""``istioctl bug-report``: a directory or archive, of the layouts of 1.10 to 1.31, one report or a series."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from meshforensics.formats.sniff import error_text, sniff
from meshforensics.formats.worth import worth
from meshforensics.importers._declare import Found, Importer, digest_of, missing
from meshforensics.importers._logs import read_part, split_previous
from meshforensics.importers._mesh import Mesh, mesh_of, uids_of
from meshforensics.importers._report_layout import (
    ADMIN,
    age_of,
    canonical,
    inside,
    is_ztunnel,
    kind_of,
    known,
    should_hold,
    whole,
)
from meshforensics.importers._source import Member, Source
from meshforensics.importers._time import UNKNOWN, Captured, credible, from_archive, from_evidence, newest
from meshforensics.importers._tool_log import ToolLog, read_tool_log
from meshforensics.model import MESH, Cause, Status

_FOLDER = "bug-report"
_WITH_UIDS = ("cluster/nodes", "cluster/k8s-cluster-resources", "cluster/k8s-resources")
_TABLE = re.compile(rb"\s*(?:NAMESPACE +)?NAME +TYPE +DATA +AGE|\s*No resources found")
_OF_MACOS = re.compile(r"(?:^|/)(?:__MACOSX/|\._|\.DS_Store$)")
"""What macOS puts beside the files of a folder or a zip."""
_CORE = re.compile(r"proxies/[^/]+/[^/]+/cores/|.*\.core$|.*/core\.\d+$")


@dataclass(frozen=True, kw_only=True)
class _Report:
    """One report of a source.

    Attributes:
        root: its folder inside the source; empty for the source itself.
        members: its members, by their path inside the report.
        log: what its own log says.
        when: when it was made.
        cut: what is wrong with the archive that it came in; empty when nothing is.
    """

    source: Source
    root: str
    members: dict[str, Member]
    log: ToolLog
    when: Captured
    cut: str

    @property
    def name(self) -> str:
        """What the user knows it by."""
        return f"{self.source.path}/{self.root}" if self.root else self.source.path

    def read(self, name: str) -> bytes:
        """Bytes of a member; none when there is none."""
        member = self.members.get(name)
        return self.source.read(member) if member else b""

    def time_of(self, name: str) -> Captured:
        """When a member was fetched, where the log says it of it alone; else when the report was made."""
        parts = name.split("/")
        return self.log.fetched.get(("/".join(parts[1:3]), "/".join(parts[3:])), self.when)


def _recognises(source: Source) -> bool:
    return any(_is_report(root, members) for root, members in _roots(source).items())


def _is_report(root: str, members: dict[str, Member]) -> bool:
    return root.rpartition("/")[2] == _FOLDER or any(known(name) for name in members)


def _roots(source: Source) -> dict[str, dict[str, Member]]:
    """Members by their path inside the report, by the folder that is the report."""
    roots: dict[str, dict[str, Member]] = {}
    for member in source.members:
        root, name = _split(member.name.split("/"))
        if name and not _OF_MACOS.search(member.name):
            roots.setdefault(root, {})[canonical(name)] = member
    return roots


def _split(parts: list[str]) -> tuple[str, str]:
    """The folder of the report, and the path inside it; an empty path for what is in no report."""
    starts = [at + 1 for at, part in enumerate(parts[:-1]) if part == _FOLDER]
    at = next((start for start in starts if inside(parts[start:])), None)
    if at is None:
        at = next((start for start in range(len(parts)) if inside(parts[start:])), starts[0] if starts else None)
    return ("/".join(parts[:at]), "/".join(parts[at:])) if at is not None else ("", "")


def _read(source: Source) -> Iterator[Found]:
    taken: set[str] = set()
    for root, members in sorted(_roots(source).items()):
        if not _is_report(root, members):
            continue
        taken |= {member.name for member in members.values()}
        report = _open(source, root, members)
        mesh = _mesh(report)
        for found in _items(report):
            yield replace(found, mesh=mesh)
    for member in source.members:
        if member.name not in taken:
            yield _beside(member)


def _beside(member: Member) -> Found:
    """A file beside the reports: listed, never stored."""
    why = f"{member.name} lies beside the report and is no part of it"
    return missing("unknown", MESH, UNKNOWN, status=Status.SKIPPED, cause=Cause.NOT_THE_FORM, detail=why)


def _open(source: Source, root: str, members: dict[str, Member]) -> _Report:
    log_member = members.get("bug-report.log")
    log = read_tool_log(source.read(log_member) if log_member else b"")
    cut = next((why for folder, why in source.damage.items() if f"{root}/".startswith(folder)), "")
    when = log.end if log.end.at is not None else _not_logged(source, members)
    return _Report(source=source, root=root, members=members, log=log, when=when, cut=cut)


def _not_logged(source: Source, members: dict[str, Member]) -> Captured:
    """The archive's time, or the newest that a member speaks of."""
    said = (from_evidence(kind_of(name)[0], source.read(member)) for name, member in members.items())
    return credible(from_archive(member.modified for member in members.values()), newest(said))


def _mesh(report: _Report) -> Mesh:
    """The cluster, as ``cluster-context`` says it, else the tool's log."""
    context = report.read("cluster/cluster-context")
    uids = partial(_uids, report)
    if context and not error_text(context):
        return mesh_of(report.name, context, uids)
    return mesh_of(report.name, f"{report.log.context} {report.log.server}".encode(), uids)


def _uids(report: _Report) -> frozenset[bytes]:
    return uids_of(report.read(name) for name in _WITH_UIDS)


def _items(report: _Report) -> Iterator[Found]:
    for name, member in sorted(report.members.items()):
        yield from _member(report, name, member)
    for name in _lacking(report):
        kind, subject = _kind(report, name, b"")
        cause = Cause.TRUNCATED if report.cut else Cause.NOT_IN_SOURCE
        why = report.cut or f"{report.root or 'the report'} does not hold {name}"
        yield missing(kind, subject, report.time_of(name), status=Status.FAILED, cause=cause, detail=why)


def _member(report: _Report, name: str, member: Member) -> Iterator[Found]:
    when = report.time_of(name)
    payload = report.source.read(member) if not _CORE.match(name) else b""
    kind, subject = _kind(report, name, payload)
    hazard = _hazard(name, payload)
    if hazard:
        yield missing(kind, subject, when, status=Status.SKIPPED, cause=Cause.HAZARDOUS, detail=hazard)
        return
    for part, content in split_previous(kind, payload):
        status, cause, detail = worth(part, content, cut=member.cut)
        yield Found(
            kind=part,
            subject=subject,
            load=partial(read_part, report.source, member, kind, part) if content else None,
            digest=digest_of(content),
            captured_at=when.at,
            time_source=when.source,
            status=status,
            cause=cause,
            detail=detail,
        )


def _kind(report: _Report, name: str, payload: bytes) -> tuple[str, str]:
    """Kind and subject; what a name leaves open, the content or the log tells."""
    kind, subject = kind_of(name)
    if name.endswith("/config_dump") and payload:  # of Envoy or of ztunnel
        said = sniff(payload).kind
        kind = said if said in {"envoy.config_dump", "ztunnel.config_dump"} else kind
    if kind == "istiod.endpointShardz" and name.replace("endpointShardz", "endpointz") not in report.members:
        kind = "istiod.endpointz"  # its other name
    if kind == "foreign.cni-log":
        pod = name.split("/")[1]
        subject = f"{report.log.namespaces.get(pod, 'unknown')}/{pod}"
    return kind, subject


def _hazard(name: str, payload: bytes) -> str:
    """Why a member must not be stored; empty when it may."""
    if _CORE.match(name):
        return "a core file holds the memory of the process, and its private keys"
    plain = not payload.strip() or _TABLE.match(payload) or error_text(payload)
    if name == "cluster/secrets" and not plain:
        return "the report was made with --full-secrets: it holds Secret values"
    return ""


def _lacking(report: _Report) -> list[str]:
    """What a report of this age should hold, or its log says that it holds, and does not."""
    names = report.members
    proxies = _subjects(report, "proxies", lambda path: path in ADMIN)
    istiods = _subjects(report, "istio", lambda path: path.startswith("debug/"))
    wanted = [[name] for name in sorted(report.log.written)]
    if whole(names):
        told = (report.read(name).decode("utf-8", "replace") for name in ("versions", "bug-report.log"))
        wanted += should_hold(next(filter(None, map(age_of, told)), None), proxies, istiods)
    else:
        wanted += [
            [f"proxies/{subject}/{path}"]
            for subject, path in sorted(report.log.fetched)
            if path in ADMIN and not is_ztunnel(subject.partition("/")[2])
        ]
    lacking = [any_of[0] for any_of in wanted if not any(name in names for name in any_of)]
    return list(dict.fromkeys(name for name in lacking if known(name) or "/" not in name))


def _subjects(report: _Report, top: str, fetched: Callable[[str], bool]) -> set[str]:
    """``namespace/pod`` of the folders below `top`, and of those that the log says were fetched."""
    here = {"/".join(name.split("/")[1:3]) for name in report.members if name.startswith(f"{top}/")}
    return here | {subject for subject, path in report.log.fetched if fetched(path)}


bug_report = Importer(
    id="istioctl-bug-report",
    about="istioctl bug-report, as a folder, .tar.gz or .zip, of Istio 1.10 to 1.31; one report or a series.",
    recognises=_recognises,
    read=_read,
)
