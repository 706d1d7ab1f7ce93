"""What istiod counted inside the window, and what it can only say since it started."""

import json
from collections.abc import Iterable

import pandas as pd

from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import keys, texts

ISTIOD = ["namespace", "pod"]
_SERIES = [*ISTIOD, "name", "labels", "le"]


def recent(counts: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """What each istiod counted in the window, by series: between samples, and since a start inside it.

    All spans are added up: the newest of them may be of a second, in which hardly anything is counted.
    """
    ended = counts[(counts["at"] >= pd.Timestamp(window.start)) & (counts["at"] <= pd.Timestamp(window.end))]
    far = pd.Timestamp(window.end) - pd.Timedelta(seconds=profile.number("recent-span"))
    compared = (ended["basis"] == "two samples") & (ended["since"] >= far)
    inside = ended[compared | (ended["since"] >= pd.Timestamp(window.start))]
    ordered = inside.sort_values("at", kind="stable")
    newest = ordered[~ordered.duplicated(_SERIES, keep="last")]
    if len(newest) == len(ordered):
        return newest
    of_series = ordered.groupby(_SERIES, observed=True, dropna=False)
    added = pd.DataFrame({"rose": of_series["rose"].transform("sum"), "since": of_series["since"].transform("min")})
    return newest.assign(rose=added["rose"], since=added["since"])


def since_start(counts: pd.DataFrame, over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """What the istiods counted since their start of which no span tells of the window."""
    told = recent(over_time, window, profile) if len(over_time) else over_time
    known = set(keys(told, "namespace", "pod")) if len(told) else set()
    pods = keys(counts, "namespace", "pod")
    return counts[[pod not in known for pod in pods]] if len(counts) else counts


def of(counts: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """The counters of some names."""
    return counts[counts["name"].isin(list(names)) & counts["le"].isna()]


def label(counts: pd.DataFrame, name: str) -> list[str]:
    """The value of a label of each row; empty where it has none."""
    return [str(json.loads(labels or "{}").get(name, "")) for labels in texts(counts["labels"])]
