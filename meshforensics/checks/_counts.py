"""What istiod counted inside the window, and what it can only say since it started."""

import json
from collections.abc import Iterable

import pandas as pd

from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import texts

ISTIOD = ["namespace", "pod"]


def recent(counts: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """The newest span of each istiod that tells of the window: between two samples, or of a start inside it."""
    ended = counts[(counts["at"] >= pd.Timestamp(window.start)) & (counts["at"] <= pd.Timestamp(window.end))]
    far = pd.Timestamp(window.end) - pd.Timedelta(seconds=profile.number("recent-span"))
    compared = (ended["basis"] == "two samples") & (ended["since"] >= far)
    inside = ended[compared | (ended["since"] >= pd.Timestamp(window.start))]
    newest = inside.groupby(ISTIOD, observed=True)["at"].transform("max")
    return inside[inside["at"] == newest]


def since_start(counts: pd.DataFrame, over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """What the istiods counted since their start of which no span tells of the window."""
    told = recent(over_time, window, profile) if len(over_time) else over_time
    known = set(zip(texts(told["namespace"]), texts(told["pod"]), strict=True)) if len(told) else set()
    pods = zip(texts(counts["namespace"]), texts(counts["pod"]), strict=True)
    return counts[[pod not in known for pod in pods]] if len(counts) else counts


def of(counts: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """The counters of some names."""
    return counts[counts["name"].isin(list(names)) & counts["le"].isna()]


def label(counts: pd.DataFrame, name: str) -> list[str]:
    """The value of a label of each row; empty where it has none."""
    return [str(json.loads(labels or "{}").get(name, "")) for labels in texts(counts["labels"])]
