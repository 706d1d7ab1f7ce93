"""Phase 2 of meshes without Envoy sidecars: what ztunnels logged and Linkerd's proxies count."""

from typing import Any

import msgspec
import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import inside, places, text, texts, where

_ADDRESS = r"(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?|\[?[0-9a-f]*(?::[0-9a-f]*){2,}\]?(?::\d+)?"
_POLICY = r"policy (?:rejection|change)"


@check(
    "traffic.ztunnel-failures",
    phase="traffic",
    plane="service",
    severity="warning",
    by=["destination", "reason"],
    subject="caller",
    observed="connections",
    unit="connections",
    title="Connections through ztunnel fail",
    detail="{caller} to {destination}: {connections:connection|s} failed since {at}: {reason}",
    remediation="Read the reason: HBONE port 15008 blocked, no endpoint, an identity without certificate, a waypoint.",
    source="guide, phase 2, step 3, for ambient meshes; ztunnel access log, error",
)
def ztunnel_failures(ztunnel_connections: pd.DataFrame, window: Window) -> pd.DataFrame:
    """As the caller's ztunnel logged them; what only the server's logged has no other record. Denials are access."""
    seen = inside(ztunnel_connections, window)
    failed = seen[(text(seen["error"]) != "") & ~text(seen["error"]).str.contains(_POLICY, regex=True)]
    failed = failed[failed["direction"] != "inbound"]
    reason = text(failed["error"]).str.replace(_ADDRESS, "…", regex=True)
    target = text(failed["host"]).where(text(failed["host"]) != "", text(failed["destination"]))
    failed = failed.assign(reason=reason, target=target.where(target != "", text(failed["address"])))
    rows: list[dict[str, Any]] = []
    for key, group in failed.groupby([text(failed["caller"]), "target", "reason"], observed=True):
        caller, destination, why = map(str, key)
        said = {"connections": len(group), "at": group["at"].min(), "evidence": places(group)}
        rows.append({"caller": caller or "an unknown caller", "destination": destination, "reason": why, **said})
    return pd.DataFrame(rows, columns=["caller", "destination", "reason", "connections", "at", "evidence"])


@check(
    "traffic.linkerd-failures",
    phase="traffic",
    plane="service",
    severity="info",
    by=["destination"],
    observed="share",
    unit="ratio",
    title="Linkerd's proxies have counted failed responses since their start",
    detail="{subject} to {destination}: {failures} of {responses:response|s} {failures:~was a failure|were failures} "
    "since start",
    remediation="Take a second sample to see whether they rise; linkerd viz tap or the logs tell which.",
    source="guide, phase 2, step 3, for Linkerd; proxy metrics response_total{classification}; one sample says nothing "
    "about when",
)
def linkerd_failures(stats: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    own = stats[text(stats["item"]).str.startswith("linkerd.metrics") & (stats["name"] == "response_total")]
    said = [_labels(each) for each in texts(own["labels"])]
    own = own.assign(
        destination=pd.Series([_destination(each) for each in said], index=own.index, dtype="str"),
        failure=pd.Series([each.get("classification") == "failure" for each in said], index=own.index, dtype=bool),
        number=own["value"].astype("Float64").fillna(0).astype("float64"),
    )
    own = where(own, (each.get("direction") == "outbound" for each in said))
    limit = profile.threshold("traffic.response-5xx-share")
    rows: list[dict[str, Any]] = []
    for key, group in own.groupby(["namespace", "pod", "destination"], observed=True):
        namespace, pod, destination = map(str, key)
        bad, total = group[group["failure"]], float(group["number"].sum())
        share = float(bad["number"].sum()) / total if total else 0.0
        if total >= limit.minimum and limit.level(share):
            told = {"failures": int(bad["number"].sum()), "responses": int(total), "share": share}
            who = {"namespace": namespace, "pod": pod, "destination": destination}
            rows.append({**who, **told, "evidence": places(bad)})
    columns = ["namespace", "pod", "destination", "failures", "responses", "share", "evidence"]
    return pd.DataFrame(rows, columns=columns)


def _labels(said: str) -> dict[str, str]:
    try:
        held = msgspec.json.decode(said) if said else {}
    except msgspec.DecodeError:
        return {}
    return {str(key): str(value) for key, value in held.items()} if isinstance(held, dict) else {}


def _destination(labels: dict[str, str]) -> str:
    """The service, else the workload, else the authority that was called."""
    space = labels.get("dst_namespace", "")
    for name in ("dst_service", "dst_deployment", "dst_statefulset", "dst_daemonset"):
        if labels.get(name):
            return f"{space}/{labels[name]}"
    return labels.get("authority") or "unknown"
