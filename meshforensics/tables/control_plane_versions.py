"""Versions of control planes: each istiod's own, by whatever tells it."""

from typing import Any

import pandas as pd

from meshforensics.formats._json import decode_json
from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, keys, of_items, text, texts, where

_ISTIOD = "discovery"
_TAG = r":v?(\d+\.\d+[\w.-]*)(?:@|\Z)"
_DESCRIBED = r"-\d+-g[0-9a-f]{7,}\Z"
"""What git says of a build between releases: the tag before it, which may be of an older branch, is no version."""

_COLUMNS = ["namespace", "pod", "captured_at", "version", "item", "pointer"]


def _versions(
    versions: pd.DataFrame = ABSENT, stats: pd.DataFrame = ABSENT, containers: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """What each istiod says of itself, else the tag of its image, else what a report lists for no pod in particular."""
    parts: list[pd.DataFrame] = []
    if len(stats):
        built = of_items(stats[stats["name"] == "istio_build"], "istiod.metrics")
        said = [decode_json(labels.encode(), dict[str, Any], what="labels") for labels in texts(built["labels"])]
        own = built.assign(
            version=pd.Series(
                [str(each.get("tag") or "") if each.get("component") == "pilot" else "" for each in said],
                index=built.index,
                dtype="str",
            )
        )
        parts.append(own[(own["version"] != "") & ~own["version"].str.contains(_DESCRIBED)])
    if len(containers):
        istiods = containers[text(containers["container"]) == _ISTIOD]
        said_so = {pod for part in parts for pod in keys(part, "namespace", "pod")}
        silent = where(istiods, (pod not in said_so for pod in keys(istiods, "namespace", "pod")))
        by_image = silent.assign(version=text(silent["image"]).str.extract(_TAG, expand=False))
        parts.append(by_image[by_image["version"].notna()])
    if len(versions):
        pilots = versions[(versions["component"] == "pilot") & versions["version"].notna()]
        parts.append(pilots.assign(namespace="", pod=""))
    plain = [part[_COLUMNS].astype("object") for part in parts if len(part)]
    if not plain:
        return pd.DataFrame(columns=_COLUMNS)
    made = pd.concat(plain, ignore_index=True)
    named = made[made["pod"] != ""].drop_duplicates(["namespace", "pod", "captured_at"])
    return named if len(named) else made


control_plane_versions = Table(
    id="control_plane_versions",
    about="Versions of the control planes: of each istiod, or of none in particular where only a report lists them.",
    of="pod",
    columns=(Column("version", "category", about="Istio's release.", source="istio_build, image, versions"),),
    derives=_versions,
)
