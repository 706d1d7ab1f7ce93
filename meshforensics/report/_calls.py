"""The call graph as the report draws it: one edge a caller and callee, with its calls in the window."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import pandas as pd

from meshforensics.model import Plane
from meshforensics.report._case import Case
from meshforensics.tables import inside, keys, text, texts, true
from meshforensics.timeline import gateway_pods


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Calls from one workload to another in the window.

    `refused` counts the failures that the caller's own proxy decided: there the fault is, or beside it.
    A failure that is not refused was an answer, which the caller passes on.
    """

    caller: str
    callee: str
    plane: Plane
    passed: tuple[datetime, ...]
    failed: tuple[datetime, ...]
    refused: int

    @property
    def total(self) -> int:
        """All calls."""
        return len(self.passed) + len(self.failed)

    @property
    def first_failed(self) -> datetime | None:
        """When a call failed first."""
        return min(self.failed, default=None)

    @property
    def passed_on(self) -> int:
        """Failures that someone behind decided."""
        return len(self.failed) - self.refused


def window_calls(case: Case) -> pd.DataFrame:
    """The calls of the window, oldest first; all of them where there is no window."""
    calls = case.frame("calls")
    known = calls[calls["at"].notna()]
    shown = inside(known, case.window) if case.window else known
    return shown.sort_values("at", kind="stable")


def edges(case: Case) -> tuple[Edge, ...]:
    """Every edge with a call in the window: worst first, then busiest, then by name."""
    calls = window_calls(case)
    if calls.empty:
        return ()
    gateways = gateway_pods(case.frame("proxies"))
    addresses = _addresses(case)
    rows = pd.DataFrame(
        {
            "caller": text(calls["caller"]),
            "callee": _callees(calls, addresses),
            "plane": [Plane.EDGE if pair in gateways else Plane.SERVICE for pair in keys(calls, "namespace", "pod")],
            "at": calls["at"],
            "failed": true(calls["failed"], missing=False),
            "own": calls["decided_by"] == "caller",
        }
    )
    grouped = rows.groupby(["caller", "callee", "plane"])
    groups = cast("Iterable[tuple[tuple[str, str, Plane], pd.DataFrame]]", grouped)
    made = [_edge(*key, rows=group) for key, group in groups]
    return tuple(sorted(made, key=lambda e: (-e.refused, -len(e.failed), -e.total, e.caller, e.callee)))


def _edge(caller: str, callee: str, plane: Plane, *, rows: pd.DataFrame) -> Edge:
    failed, own = rows["failed"], rows["own"]
    return Edge(
        caller=caller,
        callee=callee,
        plane=Plane(plane),
        passed=_instants(rows[~failed]["at"]),
        failed=_instants(rows[failed]["at"]),
        refused=int((failed & own).sum()),
    )


def _instants(values: "pd.Series[pd.Timestamp]") -> tuple[datetime, ...]:
    return tuple(value.to_pydatetime() for value in values)


def _callees(calls: pd.DataFrame, addresses: Mapping[str, str]) -> list[str]:
    """Who was called: the workload at the endpoint tried last, else the destination's host."""
    endpoints = text(calls["upstream_host"]).str.rsplit(":", n=1).str[0]
    return [
        addresses.get(endpoint) or _service(host)
        for endpoint, host in zip(endpoints, texts(calls["host"]), strict=True)
    ]


def _service(host: str) -> str:
    name, *rest = host.split(".")
    return f"{rest[0]}/{name}" if len(rest) >= 2 and rest[1] == "svc" else host or "unknown destination"


def _addresses(case: Case) -> dict[str, str]:
    """Workload by pod address."""
    pods = case.frame("pods")
    named = pods[pods["ip"].notna() & pods["workload"].notna()]
    return {ip: workload.partition(":")[2] or workload for ip, workload in keys(named, "ip", "workload")}


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Each ``namespace/name`` without its namespace, where that is still one thing."""
    known = sorted(set(names))
    tails = [name.rpartition("/")[2] for name in known]
    return {name: tail if tails.count(tail) == 1 and tail else name for name, tail in zip(known, tails, strict=True)}
