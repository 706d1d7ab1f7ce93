"""Answers 429 as counters tell them, of proxies that logged no request."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.model.words import count_of
from meshforensics.tables import ABSENT, places, text, texts, true, unlogged, where

_OWN = "rate-limited"


@check(
    "traffic.counted-limits",
    phase="traffic",
    plane="service",
    severity="info",
    by=["host", "who"],
    subject="caller",
    observed="refused",
    unit="requests",
    title="Calls are answered 429, as counters tell",
    detail="{who} answered 429 to {told} between {since} and {until}",
    remediation="Turn access logging on for this proxy to see who spends the limit; the rule is an EnvoyFilter or the "
    "rate limit service, else the application's own.",
    source="guide, Edge (rate limit); Envoy http_local_rate_limit.enforced, ratelimit.over_limit, istio_requests_total",
)
def counted_limits(
    counted_calls_over_time: pd.DataFrame, window: Window, access_log: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """A proxy that refuses by a limit of its own is the one that decides: what its callers count is the same again."""
    own = unlogged(counted_calls_over_time, access_log, window)
    own = own[own["calls"].fillna(0) > 0]
    limits = own[(text(own["family"]) == _OWN) & (text(own["host"]) == "")]
    answered = own[(own["status"].fillna(0) == 429) & ~true(own["aside"], missing=False)]
    limited = set(texts(limits["caller"]))
    spaces = {caller.partition("/")[0] for caller in limited}
    passed_on = [host.split(".")[1:2] for host in texts(answered["host"])]
    itself = text(answered["caller"]).isin(limited) & (text(answered["family"]) == _OWN)
    answered = where(answered, (not mine and not spaces & set(on) for mine, on in zip(itself, passed_on, strict=True)))
    rows = [*_of_servers(limits, own), *_of_callers(answered, own)]
    columns = ["caller", "host", "who", "refused", "told", "since", "until", "at", "evidence"]
    return pd.DataFrame(rows, columns=columns)


def _of_servers(limits: pd.DataFrame, own: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What each workload's proxies refused, of all that they took where that is counted."""
    taken = own[true(own["aside"], missing=False) & (text(own["family"]) == "")]
    for caller, group in limits.groupby(text(limits["caller"])):
        whole = int(taken[text(taken["caller"]) == caller]["calls"].sum())
        yield _row(str(caller), "", f"a limit of {caller}", group, whole)


def _of_callers(answered: pd.DataFrame, own: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What each caller was answered by each host, of all that it sent there."""
    sent = own[~true(own["aside"], missing=False)]
    for (caller, host), group in answered.groupby([text(answered["caller"]), text(answered["host"])]):
        mine = sent[(text(sent["caller"]) == caller) & (text(sent["host"]) == host)]
        who = f"{host or 'an unknown host'}, called by {caller},"
        yield _row(str(caller), str(host), who, group, int(mine["calls"].sum()))


def _row(caller: str, host: str, who: str, group: pd.DataFrame, whole: int) -> dict[str, Any]:
    refused = int(group["calls"].sum())
    since, until = group["since"].min(), group["at"].max()
    said = {"caller": caller, "host": host, "who": who, "since": since, "until": until, "at": since}
    told = f"{refused} of {count_of(whole, 'request')}" if whole > refused else count_of(refused, "request")
    return {**said, "refused": refused, "told": told, "evidence": places(group)}
