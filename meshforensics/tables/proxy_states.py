"""States of proxies: live, draining or starting, by whichever page tells it."""

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, keys, where

_STATES = {0: "LIVE", 1: "DRAINING", 2: "PRE_INITIALIZING", 3: "INITIALIZING"}
"""Values of Envoy's gauge server.state, as /server_info names them (admin.proto, ServerInfo.State)."""

_GAUGE = ("envoy_server_state", "server.state")
_UPTIME = ("envoy_server_uptime", "server.uptime")
_COLUMNS = ["namespace", "pod", "captured_at", "state", "uptime_s", "item", "pointer"]


def _states(proxies: pd.DataFrame = ABSENT, stats: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """What /server_info says; of a proxy that it does not tell of, the gauge of its stats."""
    told = proxies[proxies["state"].notna()][_COLUMNS] if len(proxies) else pd.DataFrame(columns=_COLUMNS)
    if stats.empty:
        return told
    gauges = stats[stats["name"].isin(_GAUGE) & stats["value"].notna()]
    known = set(keys(told, "namespace", "pod"))
    more = where(gauges, (pod not in known for pod in keys(gauges, "namespace", "pod")))
    more = more.drop_duplicates(["namespace", "pod", "captured_at"])
    uptimes = stats[stats["name"].isin(_UPTIME)]
    up = dict(zip(_sample(uptimes), uptimes["real"], strict=True))
    more = more.assign(
        state=more["value"].astype("int64").map(_STATES),
        uptime_s=pd.Series([up.get(each) for each in _sample(more)], index=more.index, dtype="Float64"),
    )
    both = [frame.astype("object") for frame in (told, more[_COLUMNS]) if len(frame)]
    return pd.concat(both, ignore_index=True) if both else told


def _sample(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    return keys(rows, "namespace", "pod", "captured_at")


proxy_states = Table(
    id="proxy_states",
    about="Whether each Envoy is live, drains or starts.",
    of="pod",
    columns=(
        Column(
            "state", "category", about="LIVE, DRAINING, PRE_INITIALIZING, INITIALIZING.", source="/server_info, stats"
        ),
        Column("uptime_s", "Float64", unit="s", about="Time since this process started.", source="/server_info, stats"),
    ),
    derives=_states,
)
