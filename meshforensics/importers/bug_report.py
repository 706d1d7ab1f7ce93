"""``istioctl bug-report``: a directory or archive, of the layouts of 1.10 to 1.31, one report or a series.

Sources: istio/istio tools/bug-report (content, archive, bugreport) at those releases.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from meshforensics.importers._declare import Found, Importer, digest_of
from meshforensics.importers._logs import read_part, split_previous
from meshforensics.importers._source import Member, Source
from meshforensics.importers._status import worth
from meshforensics.importers._time import UNKNOWN, Captured, fetches, from_archive, from_evidence, from_log
from meshforensics.model import MESH, Cause, Status

_ADMIN = {
    "config_dump?include_eds": "envoy.config_dump",
    "config_dump": "envoy.config_dump",
    "certs": "envoy.certs",
    "clusters": "envoy.clusters",
    "listeners": "envoy.listeners",
    "memory": "envoy.memory",
    "server_info": "envoy.server_info",
    "runtime": "envoy.runtime",
    "init_dump": "envoy.init_dump",
    "stats": "envoy.stats",
    "stats/prometheus": "envoy.stats_prometheus",
}
_ISTIOD = ("adsz", "configz", "endpointz", "mesh", "push_status", "registryz", "syncz")
_CLUSTER = (
    "cluster-context", "crs", "describe-pods", "events", "k8s-cluster-resources", "k8s-resources", "kubectl-version",
    "nodes", "pods", "secrets", "top-pods",
)  # fmt: skip
_TOP = {"analyze", "cluster", "cni", "istio", "operator", "proxies"}
_TOP_FILES = {"bug-report.log", "versions"}
_OF_EVERY_PROXY = (
    ("config_dump?include_eds", "config_dump"), ("certs",), ("clusters",), ("listeners",), ("memory",),
    ("server_info",), ("stats/prometheus",), ("istio-proxy.log",),
)  # fmt: skip
_OF_EVERY_ISTIOD = (("debug/syncz",), ("debug/configz",), ("discovery.log",))
_OF_EVERY_REPORT = ("k8s-resources", "crs", "nodes", "events")


@dataclass(frozen=True, kw_only=True)
class _Report:
    """One report of a source: its members by their path inside the report."""

    root: str
    members: dict[str, Member]


def _recognises(source: Source) -> bool:
    return any(_is_report(report) for report in _reports(source))


def _is_report(report: _Report) -> bool:
    names = report.members
    if _TOP_FILES & set(names):
        return True
    return any(
        (parts[0] == "proxies" and len(parts) >= 4 and "/".join(parts[3:]) in _ADMIN)
        or (parts[0] == "istio" and len(parts) == 5 and parts[3] == "debug")
        for parts in (name.split("/") for name in names)
    )


def _reports(source: Source) -> list[_Report]:
    """The reports of a source: each has a root, the folder that holds `proxies`, `cluster` and their like."""
    roots: dict[str, dict[str, Member]] = {}
    for member in source.members:
        parts = member.name.split("/")
        root, inside = _root(parts)
        if inside:
            roots.setdefault("/".join(root), {})["/".join(inside)] = member
    return [_Report(root=root, members=members) for root, members in sorted(roots.items())]


def _root(parts: list[str]) -> tuple[list[str], list[str]]:
    if "bug-report" in parts[:-1]:
        at = len(parts) - 1 - parts[::-1].index("bug-report", 1 if parts[-1] == "bug-report" else 0)
        return parts[: at + 1], parts[at + 1 :]
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if (part in _TOP_FILES and last) or (part in _TOP and not last):
            return parts[:at], parts[at:]
    return [], []


def _read(source: Source) -> Iterator[Found]:
    for report in _reports(source):
        if _is_report(report):
            yield from _read_report(source, report)


def _read_report(source: Source, report: _Report) -> Iterator[Found]:
    log_member = report.members.get("bug-report.log")
    log = source.read(log_member) if log_member else b""
    when = _captured(source, report, log)
    each = fetches(log)
    mesh = _mesh(source, report)
    for name, member in sorted(report.members.items()):
        for found in _member(source, name, member, when, each):
            yield replace(found, mesh=mesh)
    for kind, subject in _lacking(report):
        yield Found(
            kind=kind,
            subject=subject,
            load=None,
            digest="",
            captured_at=when.at,
            time_source=when.source,
            status=Status.FAILED,
            cause=Cause.NOT_IN_SOURCE,
            detail=f"{report.root or source.path} does not hold it",
            mesh=mesh,
        )


def _captured(source: Source, report: _Report, log: bytes) -> Captured:
    """The tool's own log, then the archive's times, then the newest line of a captured log."""
    logs = (m for name, m in report.members.items() if name.endswith((".log",)) and name != "bug-report.log")
    for captured in (from_log(log), from_archive(m.modified for m in report.members.values())):
        if captured.at is not None:
            return captured
    newest = from_evidence(source.read(member) for member in logs)
    return newest if newest.at is not None else UNKNOWN


def _mesh(source: Source, report: _Report) -> str:
    """Name and API server of the cluster, as the report's cluster-context says."""
    member = report.members.get("cluster/cluster-context")
    return " ".join(source.read(member).decode("utf-8", "replace").replace("*", " ").split())[:300] if member else ""


def _member(
    source: Source, name: str, member: Member, when: Captured, each: dict[tuple[str, str], Captured]
) -> Iterator[Found]:
    kind, subject = kind_of(name)
    at = each.get((subject, "/".join(name.split("/")[3:])), when) if name.startswith("proxies/") else when
    hazard = _hazard(name, source, member)
    if hazard:
        yield Found(
            kind=kind,
            subject=subject,
            load=None,
            digest="",
            captured_at=at.at,
            time_source=at.source,
            status=Status.SKIPPED,
            cause=Cause.HAZARDOUS,
            detail=hazard,
        )
        return
    for part, content in split_previous(kind, source.read(member)):
        status, cause, detail = worth(part, content, cut=member.cut)
        yield Found(
            kind=part,
            subject=subject,
            load=partial(read_part, source, member, kind, part) if content else None,
            digest=digest_of(content),
            captured_at=at.at,
            time_source=at.source,
            status=status,
            cause=cause,
            detail=detail,
        )


def kind_of(name: str) -> tuple[str, str]:
    """Kind and subject of a member, by its path inside the report.

    >>> kind_of("proxies/shop/web-1/stats/prometheus")
    ('envoy.stats_prometheus', 'shop/web-1')
    """
    parts = name.split("/")
    top, rest = parts[0], "/".join(parts[3:])
    if rest and top in {"proxies", "istio", "operator"}:
        kinds = {"proxies": _proxy_kind(parts[2], rest), "istio": _istiod_kind(rest), "operator": "log.operator"}
        return kinds[top], "/".join(parts[1:3])
    if top == "cni" and len(parts) == 3:
        return "log.cni", f"istio-system/{parts[1]}"
    if (top == "cluster" and len(parts) == 2) or top == "analyze":
        return f"foreign.{parts[1] if top == 'cluster' else top}", MESH
    return (f"foreign.{name.replace('.', '-')}" if name in _TOP_FILES else "unknown"), MESH


def _proxy_kind(pod: str, rest: str) -> str:
    if rest == "config_dump" and pod.startswith("ztunnel"):
        return "ztunnel.config_dump"
    if rest in _ADMIN:
        return _ADMIN[rest]
    if rest.endswith(".log"):
        container = rest.removesuffix(".log")
        return f"log.{'ztunnel' if pod.startswith('ztunnel') and container == 'istio-proxy' else container}"
    return f"foreign.{rest.replace('/', '-')}"


def _istiod_kind(rest: str) -> str:
    if rest == "metrics":
        return "istiod.metrics"
    if rest == "discovery.log":
        return "log.discovery"
    page = rest.removeprefix("debug/")
    return f"istiod.{page}" if page in _ISTIOD else f"foreign.{rest.replace('/', '-')}"


def _hazard(name: str, source: Source, member: Member) -> str:
    """Why a member must not be stored; empty when it may."""
    if "/cores/" in f"/{name}" or name.endswith(".core"):
        return "a core file holds the memory of the process, and its private keys"
    if name == "cluster/secrets" and source.read(member).lstrip()[:11] in (
        b"apiVersion:",
        b'{"apiVersio',
        b'{\n    "apiV',
    ):
        return "the report was made with --full-secrets: it holds Secret values"
    return ""


def _lacking(report: _Report) -> Iterator[tuple[str, str]]:
    """What a report of this layout should hold and does not; a sample of a series is no whole report."""
    if "versions" not in report.members:
        return
    for name in _OF_EVERY_REPORT:
        if f"cluster/{name}" not in report.members:
            yield f"foreign.{name}", MESH
    for folder in sorted({"/".join(name.split("/")[:3]) for name in report.members if name.count("/") >= 3}):
        top, namespace, pod = folder.split("/")
        wanted = _OF_EVERY_ISTIOD if top == "istio" else _OF_EVERY_PROXY
        if top not in {"istio", "proxies"} or pod.startswith("ztunnel"):
            continue
        for names in wanted:
            if not any(f"{folder}/{name}" in report.members for name in names):
                yield kind_of(f"{folder}/{names[0]}")[0], f"{namespace}/{pod}"


bug_report = Importer(
    id="istioctl-bug-report",
    about="istioctl bug-report, as a folder, .tar.gz or .zip, of Istio 1.10 to 1.31; one report or a series.",
    recognises=_recognises,
    read=_read,
)
