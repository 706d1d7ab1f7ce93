"""Lines of one family of error texts, and what is said beside them."""

from functools import lru_cache
from typing import Any

import pandas as pd

from meshforensics.checks._beside import beside
from meshforensics.formats.signatures import SIGNATURES
from meshforensics.model import Window
from meshforensics.testing import frame as _frame

NOON = pd.Timestamp("2026-01-01T12:00:00Z")
WINDOW = Window(start=(NOON - pd.Timedelta(minutes=15)).to_pydatetime(), end=NOON.to_pydatetime())
CLUSTER = "outbound|80|v9|pay.shop.svc.cluster.local"
LATE, FAR = NOON - pd.Timedelta(days=1), NOON + pd.Timedelta(days=1)


@lru_cache(maxsize=256)
def _blank(table: str, rows: int) -> pd.DataFrame:
    one = _frame(table, pointer=["/0"])
    return one.iloc[[0] * rows].reset_index(drop=True).assign(pointer=[f"/{number}" for number in range(rows)])


def frame(table: str, **columns: list[Any]) -> pd.DataFrame:
    """Rows of a table as `meshforensics.testing.frame` makes them, from a blank that is made once: there are many."""
    blank = _blank(table, max(len(values) for values in columns.values()))
    made = {
        name: pd.Categorical(values) if blank[name].dtype == "category" else pd.Series(values, dtype=blank[name].dtype)
        for name, values in columns.items()
    }
    return blank.assign(**made)


@lru_cache(maxsize=64)
def _lines(count: int, ago_s: int, who: str, cluster: str | None, pod: str) -> pd.DataFrame:
    return frame(
        "signatures",
        namespace=["shop"] * count,
        pod=[pod] * count,
        at=[NOON - pd.Timedelta(seconds=ago_s + number) for number in range(count)],
        log=["access"] * count,
        who=[who] * count,
        cause=["what it means"] * count,
        text=[f"line {number}" for number in range(count)],
        cluster=[cluster] * count,
    )


def lines_of(
    family: str,
    count: int = 3,
    ago_s: int = 60,
    who: str = "local",
    cluster: str | None = None,
    pod: str = "web-1",
    **columns: list[Any],
) -> pd.DataFrame:
    """Lines of `family`, a second apart, the last `ago_s` seconds before noon, of shop/web-1."""
    first = next((each.id for each in SIGNATURES if each.family == family), None)
    return _lines(count, ago_s, who, cluster, pod).assign(**{"family": family, "signature": first, **columns})


def said_of(family: str, rows: pd.DataFrame | None = None, **frames: pd.DataFrame) -> str:
    """What is said beside lines of `family` to the service pay."""
    own = lines_of(family, cluster=CLUSTER) if rows is None else rows
    return beside(family, own, frames, WINDOW)


def own(table: str, **columns: list[Any]) -> pd.DataFrame:
    """Rows of a table that are of the pod that logged the lines."""
    count = max(len(values) for values in columns.values())
    return frame(table, **{"namespace": ["shop"] * count, "pod": ["web-1"] * count, **columns})


def counts(
    name: str,
    *values: float,
    pod: str = "web-1",
    cluster: str | None = None,
    uptime_s: float = 3600,
    labels: str = "{}",
) -> pd.DataFrame:
    """A page of stats that shop/web-1 wrote at noon: one counter, and how long it runs."""
    names = [*[name] * len(values), "envoy_server_uptime"]
    return frame(
        "stats",
        namespace=["shop"] * len(names),
        pod=[pod] * len(names),
        captured_at=[NOON] * len(names),
        name=names,
        labels=[labels] * len(names),
        cluster=[*[cluster] * len(values), None],
        real=[*values, uptime_s],
        item=["envoy.stats_prometheus:shop/web-1@noon"] * len(names),
    )


def behind(*, injected: bool | None = True, **columns: list[Any]) -> dict[str, pd.DataFrame]:
    """One pod behind the cluster: shop/pay-1, as the proxy that logged sees it."""
    endpoints = own("endpoints", cluster=[CLUSTER], address=["10.0.0.9:80"], health=["HEALTHY"], **columns)
    pods = frame("pods", namespace=["shop"], pod=["pay-1"], ip=["10.0.0.9"], injected=[injected])
    return {"endpoints": endpoints, "pods": pods}
