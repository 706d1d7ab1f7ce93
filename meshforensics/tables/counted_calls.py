"""Calls as counters tell them: how many ended in which way, between two samples or since the start."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from meshforensics.formats._json import decode_json
from meshforensics.formats._response_flags import flags_of
from meshforensics.formats.signatures import family_of
from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, text, texts, true
from meshforensics.tables.calls import workloads_of

_FAMILIES = {
    "upstream_rq_pending_overflow": "overflow",
    "upstream_rq_active_overflow": "overflow",
    "upstream_cx_none_healthy": "no-healthy-upstream",
    "upstream_rq_timeout": "upstream-timeout",
    "upstream_rq_per_try_timeout": "upstream-timeout",
    "upstream_rq_max_duration_reached": "max-duration",
    "upstream_cx_connect_fail": "connect-failure",
}
"""Counters of one cluster that say why requests failed, the plainest first."""

_AT_SERVER = {
    "http_local_rate_limit_enforced": "rate-limited",
    "ratelimit_over_limit": "rate-limited",
    "rbac_denied": "rbac-denied",
}
_OF_CLUSTER = re.compile(rf"(?:{'|'.join(_FAMILIES)}|ssl[._](?:connection_error|fail_verify_\w+))\Z")
_OF_PROXY = re.compile(
    r"(?<!shadow[._])(?:no_cluster|no_filter_chain_match|http_local_rate_limit[._]enforced|"
    r"ratelimit[._]over_limit|rbac[._]denied)\Z"
)
_TAKEN = re.compile(r"(?:\A|[._])http[._](?:.*[._])?downstream_rq(?:_xx|_\dxx)?\Z")
_OWN_PORTS = re.compile(r"http[._](?:admin|agent|stats)[._]|\"(?:admin|agent|stats)\"")
_REFUSED = (
    "no_filter_chain_match",
    "fail_verify_error",
    "fail_verify_san",
    "fail_verify_cert_hash",
    "fail_verify_no_cert",
)
_BY_CLASS = re.compile(
    r"(?:envoy_cluster_upstream_rq(?:_xx)?|cluster\.(?:(?!\.(?:zone|external|internal|canary)\.).)+\.upstream_rq_\dxx)\Z"
)
_TAGGED = re.compile(r"(?:\A|[._])rbac\Z")
"""A counter of RBAC of which Istio's bootstrap makes the last word, `allowed` or `denied`, a label."""

REFUSED = "refused"
"""The family of connections that were refused, for TLS or because they fitted no filter chain."""

_DENIED = re.compile(r'"authz_enforce_result": ?"denied"')
_UPTIME = re.compile(r"server[._]uptime\Z")
_ISTIO = "istio_requests_total"
_LINKERD = "response_total"
_STARTED = "process_start_time_seconds"
_ADMIN_OF_LINKERD = "4191"


class _Counter(NamedTuple):
    """What a counter is about: a cluster (empty: the proxy), or the labels of Istio's own metric."""

    cluster: str
    name: str
    labels: str = ""


class _Reading(NamedTuple):
    value: int
    item: str
    pointer: str


_Sample = dict[_Counter, _Reading]
_BY_LABELS = (_ISTIO, _LINKERD)
_TIMES = ("uptime", _STARTED)


def _counted(
    stats: pd.DataFrame,
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
    stat_pages: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    names = workloads_of(pods, proxies)
    cut = set(texts(stat_pages["item"][~true(stat_pages["whole"], missing=True)])) if len(stat_pages) else set()
    rows = []
    for (namespace, pod), samples in _samples(stats).items():
        caller = names.get((namespace, pod), f"{namespace}/{pod}")
        before: tuple[pd.Timestamp, _Sample] | None = None
        for at, sample in samples:
            began = _began(at, sample)
            since, grown = began, sample
            if before and (pd.isna(began) or began <= before[0]):
                whole = not any(held.item in cut for held in before[1].values())
                since, grown = before[0], _difference(before[1], sample, whole=whole)
            place = {"namespace": namespace, "pod": pod, "captured_at": at, "since": since, "at": at, "caller": caller}
            rows += [place | said for said in _ended(grown)]
            before = (at, sample)
    return pd.DataFrame(rows, columns=[column.name for column in counted_calls.all_columns])


def _began(at: pd.Timestamp, sample: _Sample) -> Any:
    """When the proxy started, as it says: how long ago, or at which second since 1970; NaT where it does not."""
    told = {counter.name: held.value for counter, held in sample.items() if counter.name in _TIMES}
    if "uptime" in told:
        return at - pd.Timedelta(seconds=told["uptime"])
    started = told.get(_STARTED, 0)
    return pd.Timestamp(started, unit="s", tz="UTC") if 0 < started < at.timestamp() else pd.NaT


def _samples(stats: pd.DataFrame) -> dict[tuple[str, str], list[tuple[pd.Timestamp, _Sample]]]:
    """The counters that tell of calls, by proxy and capture; of two forms of one capture, the scrape."""
    if stats.empty:
        return {}
    known = {name: key for name in set(texts(stats["name"])) if (key := _key(name))}
    own = stats[stats["name"].isin(known) & stats["value"].notna() & stats["captured_at"].notna()]
    own = own[text(own["item"]).str.startswith(("envoy.stats", "linkerd.metrics"))]
    found: dict[tuple[str, str], list[tuple[pd.Timestamp, _Sample]]] = {}
    for holder, rows in own.groupby(text(own["namespace"]) + "/" + text(own["pod"])):
        namespace, _, pod = str(holder).partition("/")
        mine = text(rows["item"]).str.startswith("envoy.stats_prometheus")
        chosen = rows[mine] if mine.any() else rows
        taken = [(pd.Timestamp(at), _sample(group, known)) for at, group in chosen.groupby(text(chosen["captured_at"]))]
        found[(namespace, pod)] = [(at, sample) for at, sample in taken if any(c.name not in _TIMES for c in sample)]
    return found


def _key(name: str) -> str:
    """What a counter is called here; empty for one that tells nothing of calls."""
    if name in {_ISTIO, _LINKERD, _STARTED}:
        return name
    if _UPTIME.search(name):
        return "uptime"
    if _BY_CLASS.match(name):
        return "class"
    if _TAKEN.search(name):
        return "taken"
    if _TAGGED.search(name):
        return "rbac"
    found = _OF_CLUSTER.search(name) or _OF_PROXY.search(name)
    return found.group(0).replace(".", "_") if found else ""


def _sample(rows: pd.DataFrame, known: Mapping[str, str]) -> _Sample:
    made: _Sample = {}
    columns = ("name", "cluster", "response_code", "labels", "item", "pointer")
    said = zip(*(text(rows[column]) for column in columns), rows["value"], strict=True)
    for name, cluster, code, labels, item, pointer, value in said:
        key = known[name]
        if key == "class":
            if not code.endswith("xx") or not cluster.startswith("outbound|"):
                continue
            key = code
        elif key == "taken":
            if not code.endswith("xx") or _OWN_PORTS.search(name + labels):
                continue
            key = f"taken {code}"
        elif key == "rbac":
            if not _DENIED.search(labels):
                continue
            key = "rbac_denied"
        elif cluster and key not in _BY_LABELS and not cluster.startswith(("outbound|", "inbound|")):
            continue
        counter = _Counter(cluster, key, labels if key in _BY_LABELS else "")
        held = made.get(counter)
        made[counter] = _Reading(int(value) + (held.value if held else 0), item, pointer)
    return made


def _difference(before: _Sample, after: _Sample, *, whole: bool) -> _Sample:
    """How far each counter rose; one that fell was reset and counts from zero, and so does a new one.

    What a page that was cut does not have may have been there.
    """
    rose = {}
    for counter, held in after.items():
        if not whole and counter not in before:
            continue
        old = before[counter].value if counter in before else 0
        rose[counter] = held._replace(value=held.value - old if held.value >= old else held.value)
    return rose


def _ended(grown: _Sample) -> Iterator[dict[str, Any]]:
    """Numbers of calls that ended alike; Istio's own metric is preferred, because it counts each call once."""
    by_istio = [_of_istio(c.labels, held) for c, held in grown.items() if c.name == _ISTIO]
    sent = [row for row in by_istio if row is not None]
    yield from sent or _by_cluster(grown)
    yield from (_of_linkerd(c.labels, held) for c, held in grown.items() if c.name == _LINKERD)
    yield from _at_server(grown)
    for row in _aside(grown):
        yield {**row, "aside": True}


def _by_cluster(grown: _Sample) -> Iterator[dict[str, Any]]:
    for cluster in dict.fromkeys(c.cluster for c in grown if c.cluster.startswith("outbound|")):
        yield from _of_cluster(cluster, {c.name: held for c, held in grown.items() if c.cluster == cluster})
    missing = grown.get(_Counter("", "no_cluster"))
    if missing:
        yield _row("", "no-cluster", missing.value, missing)


def _at_server(grown: _Sample) -> Iterator[dict[str, Any]]:
    """What the server's own proxy refused, or could not hand to its application."""
    for counter, held in grown.items():
        if held.value and counter.cluster.startswith("inbound|") and counter.name == "upstream_cx_connect_fail":
            port = counter.cluster.split("|")[1]
            yield _row(counter.cluster, "connect-failure", held.value, held, host=f"its own application, port {port}")
        elif held.value and counter.name in _AT_SERVER:
            yield _row("", _AT_SERVER[counter.name], held.value, held)


def _aside(grown: _Sample) -> Iterator[dict[str, Any]]:
    """What this proxy took, whoever sent it, and the connections that it refused before they brought a request."""
    taken = {counter.name: held for counter, held in grown.items() if counter.name.startswith("taken")}
    for failed in (True, False):
        those = [held for name, held in taken.items() if name.endswith("5xx") is failed]
        if number := sum(held.value for held in those):
            yield _row("", "", number, those[0], failed=failed)
    refused = [held for counter, held in grown.items() if counter.name.endswith(_REFUSED)]
    if number := sum(held.value for held in refused):
        yield _row("", REFUSED, number, refused[0])


def _of_istio(labels: str, held: _Reading) -> dict[str, Any] | None:
    said = decode_json(labels.encode(), dict[str, str], what="labels")
    if said.get("reporter") not in {"source", "waypoint"}:
        return None
    flags, code = flags_of(said.get("response_flags", "-")), said.get("response_code", "0")
    status = int(code) if code.isdigit() else 0
    failed = "DC" not in flags and (status >= 500 or status == 429 or (status == 0 and bool(flags)))
    unflagged = "" if status == 504 else "application"  # a stream at its greatest duration is 504 and has no flag
    family = (family_of(flags, "", "") or unflagged) if failed else ""
    row = _row("", family, held.value, held, failed=failed, host=said.get("destination_service", ""))
    return {**row, "status": status}


def _of_linkerd(labels: str, held: _Reading) -> dict[str, Any]:
    """What a proxy of Linkerd was answered, or answered; its own page is no call of the mesh, but tells of none."""
    said = decode_json(labels.encode(), dict[str, str], what="labels")
    if said.get("target_port") == _ADMIN_OF_LINKERD:
        return {**_row("", "", 0, held, failed=False), "aside": True}
    service, space = said.get("dst_service", ""), said.get("dst_namespace", "")
    host = f"{service}.{space}.svc.cluster.local" if service and space else said.get("authority", "").partition(":")[0]
    code = said.get("status_code", "")
    row = _row("", "", held.value, held, failed=said.get("classification") == "failure", host=host)
    return {**row, "status": int(code) if code.isdigit() else None, "aside": said.get("direction") != "outbound"}


def _of_cluster(cluster: str, counted: Mapping[str, _Reading]) -> Iterator[dict[str, Any]]:
    """The calls of one cluster: a 5xx has at most one reason, and what TLS refused is none of TCP's."""
    classes = {name: held for name, held in counted.items() if name.endswith("xx")}
    left = counted["5xx"].value if "5xx" in counted else 0
    tls = any(held.value for name, held in counted.items() if name.startswith("ssl"))
    for name, family in _FAMILIES.items():
        held = counted.get(name)
        if held is None or not held.value or (tls and family == "connect-failure"):
            continue
        number = min(held.value, left) if classes else held.value
        left -= number
        if number > 0:
            yield _row(cluster, family, number, held)
    if left > 0:
        yield _row(cluster, "", left, counted["5xx"])
    good = [held for name, held in classes.items() if name != "5xx"]
    for held in good[:1]:
        yield _row(cluster, "", sum(each.value for each in good), held, failed=False)


def _row(
    cluster: str, family: str, calls: int, held: _Reading, *, failed: bool = True, host: str = ""
) -> dict[str, Any]:
    parts = [*cluster.split("|"), "", "", "", ""]
    return {
        "host": host or parts[3],
        "subset": parts[2],
        "cluster": cluster,
        "upstream_host": "",
        "status": None,
        "family": family,
        "failed": failed and calls > 0,
        "calls": calls,
        "aside": False,
        "item": held.item,
        "pointer": held.pointer,
    }


counted_calls = Table(
    id="counted_calls",
    about="Calls as each proxy's counters tell them: how many ended in which way, in a span of time.",
    of="pod",
    columns=(
        Column("since", "datetime64[us, UTC]", about="Begin of the span; missing where unknown.", source="computed"),
        Column("at", "datetime64[us, UTC]", about="End of the span: the capture of the counter.", source="manifest"),
        Column("caller", "category", about="Workload that counted, as namespace/name.", source="pods, proxies"),
        Column("host", "category", about="Destination host; empty where not counted apart.", source="cluster name"),
        Column("subset", "category", about="Subset of the destination; empty for none.", source="cluster name"),
        Column("cluster", "category", about="Envoy cluster; empty for the proxy as a whole.", source="stats"),
        Column("upstream_host", "category", about="Always empty: counters do not tell it.", source="-"),
        Column(
            "family",
            "category",
            about="Family as in calls; empty where no counter tells it.",
            source="name of the counter",
        ),
        Column("status", "Int64", about="HTTP status; missing where not counted apart.", source="response_code"),
        Column("failed", "boolean", about="Whether these calls failed.", source="computed"),
        Column(
            "aside",
            "boolean",
            about="What a proxy took or refused, whoever sent it: its callers count the same calls.",
            source="name of the counter",
        ),
        Column("calls", "Int64", unit="calls", about="How many.", source="difference of two samples, or since start"),
    ),
    derives=_counted,
)
