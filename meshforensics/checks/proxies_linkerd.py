"""Phase 1 of meshes of Linkerd: proxies beside the control plane that injected them."""

import re

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.tables import keys, text, texts, where

_PROXY = "linkerd-proxy"
_CONTROL_PLANE = r'"linkerd\.io/control-plane-component": ?"'
_TAG = r":([a-z]+-\d+\.\d+[\w.-]*)(?:@|\Z)"
_RELEASE = re.compile(r"(?P<channel>[a-z]+)-(?P<major>\d+)\.(?P<minor>\d+)")


@check(
    "proxies.linkerd-version-skew",
    phase="proxy-health",
    plane="control",
    threshold="proxies.version-skew",
    by=["version", "control_plane"],
    observed="skew",
    unit="minors",
    title="Linkerd's proxies and their control plane are of different versions",
    detail="{count:proxy runs|proxies run} {version}, their control plane {control_plane}",
    remediation="Restart workloads after an upgrade of the control plane; `linkerd check --proxy` lists what is left.",
    source="Linkerd, upgrading: proxies work with a control plane that is one stable version ahead; edge releases have "
    "no such distance",
)
def linkerd_version_skew(containers: pd.DataFrame, pods: pd.DataFrame) -> pd.DataFrame:
    """By the tag of the proxy's image, beside that of the control plane's own proxies; of two such none is meant."""
    proxies = containers[text(containers["container"]) == _PROXY]
    proxies = proxies.assign(version=text(proxies["image"]).str.extract(_TAG, expand=False))
    proxies = proxies[proxies["version"].notna()]
    leading = set(keys(pods[text(pods["labels"]).str.contains(_CONTROL_PLANE)], "namespace", "pod"))
    led = [pod not in leading for pod in keys(proxies, "namespace", "pod")]
    held = set(texts(where(proxies, (not each for each in led))["version"]))
    own = where(proxies, led)
    if len(held) != 1:
        return own.iloc[:0].assign(control_plane="", skew=pd.Series(dtype="Int64"))
    (control_plane,) = held
    skew = [_skew(version, control_plane) for version in texts(own["version"])]
    return own.assign(control_plane=control_plane, skew=pd.Series(skew, index=own.index, dtype="Int64"))


def _skew(proxy: str, control_plane: str) -> int | None:
    """Versions that a proxy is behind, one more where it is ahead; edge releases just differ."""
    mine, theirs = _RELEASE.match(proxy), _RELEASE.match(control_plane)
    if not mine or not theirs or mine["channel"] != theirs["channel"]:
        return None
    if mine["channel"] == "edge":
        return int(proxy != control_plane)
    if mine["major"] != theirs["major"]:
        return None
    behind = int(theirs["minor"]) - int(mine["minor"])
    return behind if behind >= 0 else 1 - behind
