"""Rises of counters: how far each counter of trouble rose between two samples, or since a start that is known."""

import re
from collections.abc import Mapping

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, keys, text, texts
from meshforensics.tables.stat_pages import page_before

_COUNTERS = (
    "upstream_cx_total",
    "upstream_cx_overflow",
    "upstream_cx_pool_overflow",
    "upstream_cx_connect_fail",
    "upstream_cx_connect_timeout",
    "upstream_cx_none_healthy",
    "upstream_cx_protocol_error",
    "upstream_rq_total",
    "upstream_rq_pending_overflow",
    "upstream_rq_pending_failure_eject",
    "upstream_rq_active_overflow",
    "upstream_rq_retry",
    "upstream_rq_retry_overflow",
    "upstream_rq_retry_limit_exceeded",
    "upstream_rq_timeout",
    "upstream_rq_per_try_timeout",
    "lb_healthy_panic",
    "outlier_detection_ejections_enforced_total",
    "health_check_failure",
    "ssl_handshake",
    "ssl_connection_error",
    "ssl_fail_verify_error",
    "ssl_fail_verify_san",
    "ssl_fail_verify_cert_hash",
    "ssl_fail_verify_no_cert",
    "no_filter_chain_match",
    "no_route",
    "downstream_cx_overflow",
    "downstream_cx_overload_reject",
    "downstream_cx_protocol_error",
    "downstream_rq_total",
    "downstream_rq_timeout",
)
_NAME = re.compile(rf"(?:\A|[._])({'|'.join(each.replace('_', '[._]') for each in _COUNTERS)})\Z")
_UPTIME = re.compile(r"server[._]uptime\Z")
_LARGEST = 2**53
"""What counts so far is no counter of requests; a float holds every integer up to it."""

_OLDEST = 10**9
"""No proxy runs for thirty years."""

_CAPTURE = ("namespace", "pod", "captured_at")
_OWNER = ["namespace", "pod", "name", "cluster", "listener"]


def _rises(stats: pd.DataFrame, stat_pages: pd.DataFrame = ABSENT) -> pd.DataFrame:
    columns = [column.name for column in rises.all_columns]
    if stats.empty:
        return pd.DataFrame(columns=columns)
    counters = _counters(stats)
    if counters.empty:
        return pd.DataFrame(columns=columns)
    began = _starts(stats)
    before = counters.groupby(_OWNER, observed=True)
    at, value = counters["captured_at"], counters["total"]
    since, old = before["captured_at"].shift(), before["total"].shift()
    new = counters[since.isna()]
    since = since.fillna(page_before(new, stat_pages))
    old = old.where(old.notna() | since.isna(), 0)
    start = pd.Series([began.get(key, pd.NaT) for key in keys(counters, *_CAPTURE)], index=counters.index)
    start = pd.to_datetime(start, utc=True)
    again = since.isna() | (start > since) | (old > value)
    counters = counters.assign(
        since=since.where(~again, start), at=at, rise=(value - old.where(~again, 0)).astype("Int64")
    )
    return counters[columns]


def _counters(stats: pd.DataFrame) -> pd.DataFrame:
    """The counters of trouble by their common names; of two forms of one capture, the scrape."""
    known = {name: found[1].replace(".", "_") for name in set(texts(stats["name"])) if (found := _NAME.search(name))}
    own = stats[stats["name"].isin(known) & stats["captured_at"].notna()]
    own = own[own["value"].notna() & (own["value"].fillna(0) <= _LARGEST)]
    own = own[text(own["item"]).str.startswith("envoy.stats")]
    scraped = text(own["item"]).str.startswith("envoy.stats_prometheus")
    both = set(keys(own[scraped], *_CAPTURE))
    twice = pd.Series(
        [key in both for key in keys(own, "namespace", "pod", "captured_at")], index=own.index, dtype=bool
    )
    own = own[scraped | ~twice]
    made = pd.DataFrame(
        {
            **{name: text(own[name]) for name in ("namespace", "pod", "cluster", "listener", "item", "pointer")},
            "name": text(own["name"]).map(known).astype("str"),
            "captured_at": own["captured_at"],
            "total": own["value"].astype("Float64").astype("Int64"),
        }
    )
    first = {"total": "sum", "item": "first", "pointer": "first"}
    summed = made.groupby([*_OWNER, "captured_at"], as_index=False, observed=True).agg(first) if len(made) else made
    return summed.sort_values([*_OWNER, "captured_at"], kind="stable", ignore_index=True)


def _starts(stats: pd.DataFrame) -> Mapping[tuple[str, ...], pd.Timestamp]:
    """When each proxy started, as it says at each capture."""
    names = [name for name in set(texts(stats["name"])) if _UPTIME.search(name)]
    own = stats[stats["name"].isin(names) & stats["captured_at"].notna()]
    own = own[own["real"].between(0, _OLDEST).fillna(False).astype(bool)]
    began = own["captured_at"] - pd.to_timedelta(own["real"].astype("float64"), unit="s")
    return dict(zip(keys(own, *_CAPTURE), began, strict=True))


rises = Table(
    id="rises",
    about="How far counters of trouble rose between two samples of a proxy, or since its start.",
    of="pod",
    columns=(
        Column("name", "category", about="Name of the counter, without its cluster or listener.", source="stats"),
        Column("cluster", "category", about="Envoy cluster; empty for none.", source="stats"),
        Column("listener", "category", about="Listener or connection manager; empty for none.", source="stats"),
        Column(
            "since", "datetime64[us, UTC]", about="Sample or start before; missing where unknown.", source="computed"
        ),
        Column("at", "datetime64[us, UTC]", about="Sample of the counter.", source="manifest"),
        Column("rise", "Int64", about="How far it rose in that span.", source="difference of two samples"),
        Column("total", "Int64", about="What it is at the sample.", source="stats"),
    ),
    derives=_rises,
)
