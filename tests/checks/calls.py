"""Calls and counters for the tests of traffic."""

from typing import Any

import pandas as pd

from meshforensics.testing import frame

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
HOST = "pay.shop.svc.cluster.local"
CLUSTER = f"outbound|80||{HOST}"


def calls_of(
    failed: int,
    total: int,
    *,
    ago_s: int = 60,
    flags: tuple[str, ...] = ("UF",),
    status: int = 503,
    family: str = "connect-failure",
    details: str | None = None,
    **more: Any,
) -> pd.DataFrame:
    """Calls of one edge, of which the first ones failed alike."""
    bad = [number < failed for number in range(total)]
    return frame(
        "calls",
        namespace=["shop"] * total,
        pod=["web-1"] * total,
        at=[NOON - pd.Timedelta(seconds=ago_s)] * total,
        caller=["shop/web"] * total,
        host=[HOST] * total,
        cluster=[CLUSTER] * total,
        status=[status if each else 200 for each in bad],
        flags=[flags if each else () for each in bad],
        details=[details if each else None for each in bad],
        failed=bad,
        family=[family if each else "" for each in bad],
        decided_by=["caller" if each else "nobody" for each in bad],
        **{name: [value] * total for name, value in more.items()},
    )


def risen(
    *counters: tuple[str, int],
    since_s: int | None = 600,
    cluster: str = CLUSTER,
    listener: str = "",
    pod: str = "web-1",
) -> pd.DataFrame:
    """Counters of one proxy that rose up to noon."""
    count = len(counters)
    since = None if since_s is None else NOON - pd.Timedelta(seconds=since_s)
    return frame(
        "rises",
        namespace=["shop"] * count,
        pod=["web-1"] * count,
        captured_at=[NOON] * count,
        name=[name for name, _ in counters],
        cluster=[cluster] * count,
        listener=[listener] * count,
        since=[since] * count,
        at=[NOON] * count,
        rise=[rise for _, rise in counters],
        total=[rise for _, rise in counters],
    )


def logged() -> pd.DataFrame:
    """One request in the window, as the proxy logged it."""
    return frame("access_log", namespace=["shop"], pod=["web-1"], at=[NOON], status=[200])
