"""Coverage: how much of the mesh this report speaks of."""

import pandas as pd

from meshforensics.report._blocks import Content, Details, Head, Paragraph, Row, Table
from meshforensics.report._case import Case
from meshforensics.report._words import count
from meshforensics.report.sections._section import section
from meshforensics.tables import declared_tables, keys, text, true

Proxies = set[tuple[str, ...]]


@section
def coverage(case: Case) -> Content:
    """Proxies known, captured and decoded, by namespace; which tables say nothing, and why."""
    known, captured, decoded = _known(case), _captured(case), _decoded(case)
    known |= captured
    namespaces = sorted({namespace for namespace, _ in known})
    heads = (Head(text="Namespace"), *(Head(text=name, number=True) for name in ("Known", "Captured", "Decoded")))
    rows = tuple(
        Row(cells=(name, *(f"{sum(each[0] == name for each in group):,}" for group in (known, captured, decoded))))
        for name in namespaces
    )
    if not rows:
        title, first = "Coverage: no proxy is known", Paragraph(text="No pod, dump or sync record names a proxy.")
        return Content(anchor="coverage", title=title, blocks=(first, _tables(case)))
    title = f"Coverage: {len(decoded):,} of {count(len(known), 'known proxy', 'known proxies')} captured and decoded"
    return Content(anchor="coverage", title=title, blocks=(Table(heads=heads, rows=rows), _tables(case)))


def _known(case: Case) -> Proxies:
    pods = case.frame("pods")
    found: Proxies = set(keys(pods[true(pods["injected"], missing=False)], "namespace", "pod"))
    for table in ("proxies", "xds_sync"):
        found |= set(keys(case.frame(table), "namespace", "pod"))
    return {(namespace, pod) for namespace, pod in found if pod}


def _captured(case: Case) -> Proxies:
    subjects = [i.subject for i in case.bundle.items if i.kind == "envoy.config_dump" and i.stored]
    return {(namespace, pod) for namespace, _, pod in (subject.partition("/") for subject in subjects) if pod}


def _decoded(case: Case) -> Proxies:
    """Proxies whose config dump gave rows."""
    items: pd.Series[str] = text(case.frame("cluster_instances")["item"])
    subjects = {item.partition(":")[2].rpartition("@")[0] for item in items.unique()}
    return {(namespace, pod) for namespace, _, pod in (subject.partition("/") for subject in subjects) if pod}


def _tables(case: Case) -> Details:
    rows = tuple(
        Row(cells=(name, f"{len(case.frame(name)):,}", case.reason(name) or "-")) for name in declared_tables()
    )
    heads = (Head(text="Table"), Head(text="Rows", number=True), Head(text="Why it says nothing"))
    empty = sum(bool(case.reason(name)) for name in declared_tables())
    summary = f"{count(len(rows), 'table')}, {empty} of them without input"
    return Details(summary=summary, blocks=(Table(heads=heads, rows=rows),))
