"""What ``bug-report.log`` says: when each thing was fetched, what was written, of which cluster.

Sources: istio/istio tools/bug-report/pkg/{bugreport,kubectlcmd,archive} at 1.10 to 1.31; one line a task.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from meshforensics.importers._time import UNKNOWN, Captured, read_time

SOURCE = "bug-report.log"
_STAMP = re.compile(rb"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))", re.MULTILINE)
_FETCHED = re.compile(
    rb"^(?P<at>\S+)\s+\w+\s+(?:"
    rb"proxy (?P<proxy>[^\s/]+/[^\s/]+) GET (?P<path>\S+): \d+ bytes"
    rb"|COMPLETED ProxyGet (?P<pod>[^\s/]+/[^\s/:]+):(?P<page>\S+)"
    rb"|COMPLETED PodLogs (?P<logged>[^\s/]+/[^\s/]+)/(?P<container>[\w.-]+)"
    rb"|COMPLETED PodExec (?P<istiod>[^\s/]+/[^\s/]+)/discovery:pilot-discovery request GET /?(?P<debug>\S+))",
    re.MULTILINE,
)
_WRITTEN = re.compile(rb"Done writing file for path (?P<path>.+?)(?:\truntime=.*)?$", re.MULTILINE)
_LOGS_OF = re.compile(rb"(?:Getting logs for|STARTING PodLogs) (?P<namespace>[^\s/]+)/(?P<pod>[^\s/]+)/")
_CONTEXT = re.compile(rb"Target cluster context: ?(\S+)")
_SERVER = re.compile(rb"Cluster endpoint: ?(\S+)")


@dataclass(frozen=True, kw_only=True)
class ToolLog:
    """The tool's own log of one report.

    Attributes:
        end: its last line's time: when the report was done.
        fetched: ``(namespace/pod, path below the pod's folder)`` to when that was fetched.
        written: members, by their path inside the report, that the tool says it wrote.
        namespaces: pod to namespace, of pods whose logs were asked for.
        context: name of the cluster; empty when not said.
        server: address of its API server; empty when not said.
    """

    end: Captured = UNKNOWN
    fetched: Mapping[tuple[str, str], Captured] = field(default_factory=dict)
    written: frozenset[str] = frozenset()
    namespaces: Mapping[str, str] = field(default_factory=dict)
    context: str = ""
    server: str = ""


def read_tool_log(log: bytes) -> ToolLog:
    """What the log says; a log of another form says nothing."""
    stamps = _STAMP.findall(log)
    end = read_time(stamps[-1]) if stamps else None
    return ToolLog(
        end=_captured(end),
        fetched=dict(_fetch(found) for found in _FETCHED.finditer(log)),
        written=frozenset(name for found in _WRITTEN.finditer(log) if (name := _inside(found["path"]))),
        namespaces={_text(found["pod"]): _text(found["namespace"]) for found in _LOGS_OF.finditer(log)},
        context=_first(_CONTEXT, log),
        server=_first(_SERVER, log),
    )


def _fetch(found: re.Match[bytes]) -> tuple[tuple[str, str], Captured]:
    subject = found["proxy"] or found["pod"] or found["logged"] or found["istiod"]
    path = found["path"] or found["page"] or found["debug"]
    name = _text(path) if path else f"{_text(found['container'])}.log"
    return (_text(subject), name), _captured(read_time(found["at"]))


def _captured(at: datetime | None) -> Captured:
    return Captured(at, SOURCE) if at is not None else UNKNOWN


def _inside(path: bytes) -> str:
    """The path inside the report of a file in the tool's temporary folder ``…/bug-report/bug-report/``."""
    _, folder, name = _text(path).partition("/bug-report/bug-report/")
    return name if folder else ""


def _first(pattern: re.Pattern[bytes], log: bytes) -> str:
    found = pattern.search(log)
    return _text(found.group(1)) if found else ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
