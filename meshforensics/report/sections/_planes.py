"""The four planes: who calls whom, which roots there are, what the control plane says, and where it breaks."""

from collections.abc import Sequence

import pandas as pd

from meshforensics.model import Hypothesis, Plane, Severity
from meshforensics.report._blocks import Beside, Content, Figure, PlaneName
from meshforensics.report._calls import Edge, edges, short_names
from meshforensics.report._case import Case, decided, focus
from meshforensics.report._trust import roots
from meshforensics.report._words import count, listed
from meshforensics.report.figures import NARROW, WIDE, Arrow, Box, Map, draw_planes
from meshforensics.report.sections._section import section
from meshforensics.tables import keys, text
from meshforensics.timeline import gateway_pods

WORKLOADS = 12
"""Workloads that are drawn: those with the most failures, then the busiest."""


@section
def planes(case: Case, incident: str = "") -> Content:
    """Edge, service, state and control, with the affected parts marked."""
    hypothesis = focus(case, incident)
    known = edges(case)
    drawn, left_out = _map(case, known, hypothesis)
    said = _said(case, known)
    figure = Figure(
        name="planes",
        title=_figure_title(known),
        alt=_alt(drawn),
        caption="Numbers: failed of all calls in the window. Thick with ✕: ended by the caller's own proxy. Dashed: "
        f"passes on a failure. Thin: healthy. Thick frame: affected.{left_out}",
        wide=draw_planes(drawn, WIDE),
        narrow=draw_planes(drawn, NARROW),
    )
    notes = tuple((PlaneName(plane), f": {said[plane]}") for plane in Plane)
    return Content(anchor="planes", title=_title(known), blocks=(Beside(blocks=(figure,), notes=notes),))


def _title(known: Sequence[Edge]) -> str:
    sources = [edge for edge in known if edge.refused]
    if not known:
        return "Four planes: calls not captured"
    if not sources:
        return "Four planes: no proxy ended a call itself"
    names = short_names(name for edge in known for name in (edge.caller, edge.callee))
    callers = listed(sorted({names[edge.caller] for edge in sources}), 3)
    callees = listed(sorted({names[edge.callee] for edge in sources}), 3)
    return f"Four planes: the break lies between {callers} and {callees}"


def _figure_title(known: Sequence[Edge]) -> str:
    refused = sum(bool(edge.refused) for edge in known)
    passing = sum(bool(edge.failed) and not edge.refused for edge in known)
    if not known:
        return "No calls were captured; what the other planes hold"
    return f"{refused} of {count(len(known), 'edge')} fail at their source, {passing} pass a failure on"


def _alt(drawn: Map) -> str:
    calls = [f"{a.caller} calls {a.callee}, {a.failed} of {a.total} failed" for a in drawn.arrows]
    parts = [f"{box.plane}: {box.name} {box.about}".strip() for box in drawn.boxes if box.about]
    hurt = [box.name for box in drawn.boxes if box.hurt]
    affected = f"Affected: {', '.join(hurt)}" if hurt else "Nothing is marked as affected"
    return ". ".join([*(calls or ["Calls were not captured"]), *parts, affected]) + "."


def _map(case: Case, known: Sequence[Edge], hypothesis: Hypothesis) -> tuple[Map, str]:
    names = short_names(name for edge in known for name in (edge.caller, edge.callee))
    ranked = list(dict.fromkeys(name for edge in known for name in (edge.caller, edge.callee)))
    chosen = set(ranked[:WORKLOADS])
    gateways = {edge.caller for edge in known if edge.plane == Plane.EDGE}
    hurt = _affected(case, hypothesis)
    boxes = [
        Box(name=names[name], plane=Plane.EDGE if name in gateways else Plane.SERVICE, hurt=name in hurt)
        for name in sorted(chosen)
    ]
    arrows = [
        Arrow(
            caller=names[edge.caller],
            callee=names[edge.callee],
            total=edge.total,
            failed=len(edge.failed),
            refused=bool(edge.refused),
        )
        for edge in sorted(known, key=lambda edge: (edge.caller, edge.callee))
        if edge.caller in chosen and edge.callee in chosen
    ]
    left_out = len(ranked) - len(chosen)
    boxes += [*_state(case), *_control(case)]
    made = Map(boxes=tuple(boxes), arrows=tuple(arrows), empty=_empty(case))
    return made, f" {count(left_out, 'workload')} with fewer failures not drawn." if left_out else ""


def _affected(case: Case, hypothesis: Hypothesis) -> set[str]:
    """Workloads whose pods the verdict names."""
    if not decided(hypothesis):
        return set()
    subjects = set(hypothesis.subjects)
    found = {subject.partition(":")[2] or subject for subject in subjects}
    for table in ("pods", "proxies"):
        rows = case.frame(table)
        for namespace, pod, workload in keys(rows, "namespace", "pod", "workload"):
            if f"{namespace}/{pod}" in subjects and workload:
                plain = workload.partition(":")[2] or workload
                found.add(plain if "/" in plain else f"{namespace}/{plain}")
    return found


def _state(case: Case) -> list[Box]:
    known = roots(case)
    total = sum(len(root.holders) for root in known)
    holders = len({holder for root in known for holder in root.holders})
    split = len(known) > 1 and total == holders
    boxes = [
        Box(
            name=f"{root.sign} root {root.serial[:8]}…",
            plane=Plane.STATE,
            about=f"trusted by {len(root.holders)} of {count(holders, 'proxy')}",
            hurt=split,
        )
        for root in known[:4]
    ]
    wrong = [f for f in case.findings if f.plane == Plane.STATE and f.severity in _SERIOUS and not f.muted]
    checks = dict.fromkeys(f.title for f in wrong if not f.check.startswith("certificates."))
    boxes += [Box(name=title, plane=Plane.STATE, hurt=True) for title in list(checks)[:2]]
    return boxes


_SERIOUS = (Severity.CRITICAL, Severity.ERROR)


def _control(case: Case) -> list[Box]:
    sync = case.frame("xds_sync")
    boxes = []
    for istiod, rows in sync.groupby(text(sync["istiod"])) if len(sync) else ():
        told = _synced(rows)
        boxes.append(Box(name=_last(istiod), plane=Plane.CONTROL, about=told, hurt="rejected" in told))
    return boxes[:4]


def _last(name: str) -> str:
    return name.rpartition("/")[2] or name or "istiod"


def _synced(rows: pd.DataFrame) -> str:
    """How far proxies acknowledged what they were sent; types never sent are left out."""
    status = text(rows["status"]).str.upper()
    sent = status[~status.isin(["NOT SENT", "NEVER SENT", ""])]
    rejected = int(status.str.contains("NACK|ERROR", regex=True).sum())
    acked = int((sent == "SYNCED").sum())
    said = f"{acked} of {len(sent)} xDS resources acknowledged"
    return f"{said}, {rejected} rejected" if rejected else said


def _empty(case: Case) -> dict[Plane, str]:
    calls = case.reason("calls")
    gateways = gateway_pods(case.frame("proxies"))
    return {
        Plane.EDGE: calls or ("the gateways logged no call" if gateways else "no gateway captured"),
        Plane.SERVICE: calls or "no workload logged a call",
        Plane.STATE: case.reason("trust") or "no root is known, no object at fault",
        Plane.CONTROL: case.reason("xds_sync") or "istiod names no proxy",
    }


def _said(case: Case, known: Sequence[Edge]) -> dict[Plane, str]:
    empty = _empty(case)
    said = dict(empty)
    for plane in (Plane.EDGE, Plane.SERVICE):
        own = [edge for edge in known if edge.plane == plane]
        if own:
            failed, total = sum(len(edge.failed) for edge in own), sum(edge.total for edge in own)
            refused = sum(edge.refused for edge in own)
            said[plane] = (
                f"{failed:,} of {count(total, 'call')} failed, {refused:,} of them ended by the caller's own proxy."
            )
    known_roots = roots(case)
    if known_roots:
        held = ", ".join(f"{root.sign} {root.serial[:8]}… by {len(root.holders)}" for root in known_roots[:4])
        said[Plane.STATE] = f"{count(len(known_roots), 'root')} trusted: {held}."
    boxes = _control(case)
    if boxes:
        said[Plane.CONTROL] = "; ".join(f"{box.name}: {box.about}" for box in boxes) + "."
    return said
