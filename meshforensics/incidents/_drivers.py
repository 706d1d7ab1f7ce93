"""What may explain that a proxy's memory grows: requests, open connections, configuration, series."""

from collections.abc import Mapping

import pandas as pd

from meshforensics.tables import text

_CONFIGURATION = r"(?:cluster_manager[._]active_clusters|listener_manager[._]total_listeners_active)\Z"
_REQUESTS = r"http[._](?:.*[._])?downstream_rq_total\Z"
_OPEN = r"http[._](?:.*[._])?downstream_(?:rq|cx)_active\Z"
_ADMIN = ("admin", "agent", "stats")

Samples = Mapping[str, "pd.Series[float]"]


def samples_of(stats: pd.DataFrame) -> dict[str, "pd.Series[float]"]:
    """Per driver its value by capture time, of the stats of one proxy over time.

    ``requests`` (total, counter), ``open`` (active requests, else connections), ``configuration``
    (clusters and listeners held), ``series`` (number of stats). A driver whose stats are not there is
    not in the result: absent is not zero.
    """
    name = text(stats["name"])
    own = stats[~_is_of_admin(stats)]
    wanted = {
        "requests": own[name[own.index].str.contains(_REQUESTS)],
        "open": _open(own, name),
        "configuration": own[name[own.index].str.contains(_CONFIGURATION)],
    }
    made = {
        key: rows.groupby("captured_at")["value"].sum().astype(float) for key, rows in wanted.items() if len(rows)
    }
    if len(stats):
        made["series"] = stats.groupby("captured_at").size().astype(float)
    return made


def _open(own: pd.DataFrame, name: "pd.Series[str]") -> pd.DataFrame:
    """Active requests where they are known, else active connections."""
    active = own[name[own.index].str.contains(_OPEN)]
    requests = active[name[active.index].str.endswith("rq_active")]
    return requests if len(requests) else active


def _is_of_admin(stats: pd.DataFrame) -> "pd.Series[bool]":
    """The proxy's own endpoints: admin, agent, stats."""
    name, labels = text(stats["name"]), text(stats["labels"])
    own = pd.Series(False, index=stats.index)
    for prefix in _ADMIN:
        own |= name.str.contains(rf"http[._]{prefix}[._]", regex=True)
        own |= labels.str.contains(f'"{prefix}"', regex=False)
    return own


def rate(total: "pd.Series[float]") -> "pd.Series[float]":
    """Per second between samples, of a counter; a counter that fell was reset, and gives no rate."""
    seconds = pd.Series(total.index, index=total.index).diff().dt.total_seconds()
    grown = total.diff()
    made: pd.Series[float] = (grown / seconds).where(grown >= 0).dropna()
    return made


def unfinished_share(samples: Samples) -> float | None:
    """The share of newly opened requests that stayed open, over the whole series; None where not known."""
    if "open" not in samples or "requests" not in samples:
        return None
    opened = samples["requests"].iloc[-1] - samples["requests"].iloc[0]
    stayed = samples["open"].iloc[-1] - samples["open"].iloc[0]
    return float(stayed / opened) if opened > 0 else None
