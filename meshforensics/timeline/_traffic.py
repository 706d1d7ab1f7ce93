"""Events of the edge and the service plane: first failures, last successes, errors of proxies."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.model import Plane
from meshforensics.tables import text, texts, true
from meshforensics.timeline._events import Event, Source, dated, event


def traffic_events(source: Source) -> Iterator[Event]:
    """When each edge of the call graph first failed, when it last passed before that, known errors."""
    gateways = gateway_pods(source.frame("proxies"))
    calls = dated(source.frame("calls"))
    if len(calls):
        for _, edge in calls.groupby(["caller", "host"], observed=True):
            yield from _edge(edge, gateways)
    yield from _proxies(source)


def gateway_pods(proxies: pd.DataFrame) -> set[tuple[str, str]]:
    """Namespace and pod of the proxies through which calls enter or leave the mesh."""
    routers = proxies[proxies["role"] == "router"] if len(proxies) else proxies
    return set(zip(texts(routers["namespace"]), texts(routers["pod"]), strict=True)) if len(routers) else set()


def _edge(edge: pd.DataFrame, gateways: set[tuple[str, str]]) -> Iterator[Event]:
    failed = edge[true(edge["failed"], missing=False)]
    for _, rows in failed.groupby([text(failed["family"]), failed["flags"].map(",".join)]):
        row = rows.iloc[0]
        plane = Plane.EDGE if (str(row["namespace"]), str(row["pod"])) in gateways else Plane.SERVICE
        flags = ",".join(row["flags"]) or "no flag"
        said = f"{row['caller']} to {row['host']} first fails: {row['status']} {flags}, {row['family'] or 'unknown'}"
        yield event(row, row["at"], plane, "first-failure", str(row["caller"]), said)
        passed = edge[~true(edge["failed"], missing=True)]
        if len(passed) and plane == Plane.EDGE:
            last = passed.iloc[-1]
            said = f"{last['caller']} to {last['host']}: last call that passes"
            yield event(last, last["at"], plane, "last-success", str(last["caller"]), said)


def _proxies(source: Source) -> Iterator[Event]:
    known = dated(source.frame("signatures"))
    known = known[known["log"] == "proxy"] if len(known) else known
    for _, rows in known.groupby(["namespace", "pod", "signature"], observed=True):
        row = rows.iloc[0]
        plane = str(row["plane"]) if str(row["plane"]) in list(Plane) else str(Plane.SERVICE)
        more = f" ({len(rows)} lines)" if len(rows) > 1 else ""
        said = f"{row['pod']} logs: {row['text']}{more}"
        yield event(row, row["at"], plane, "proxy-error", f"{row['namespace']}/{row['pod']}", said)
