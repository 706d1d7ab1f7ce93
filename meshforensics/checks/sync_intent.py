"""What istiod means its proxies to have, against what they have."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.tables import keys, text, texts

_OUTBOUND = r"outbound\|\d+\|[^|]*\|([^|]+)\Z"


@check(
    "sync.endpoints-differ",
    phase="configuration",
    plane="control",
    threshold="sync.endpoints-unknown",
    by=["host", "gone"],
    observed="share",
    unit="ratio",
    title="Proxies hold endpoints that istiod does not have",
    detail="{count} proxies send to {gone} for {host}; istiod has {meant}",
    remediation="Compare syncz for EDS; a proxy that keeps old endpoints gets no pushes, or another istiod's.",
    source="guide, overview (Pilot out of sync); istiod debug/endpointz against Envoy /clusters",
)
def endpoints_differ(endpoints: pd.DataFrame, registry_endpoints: pd.DataFrame) -> pd.DataFrame:
    """By address alone: ports are named on one side. Hosts that istiod has in several clusters are left out.

    A proxy that was captured before istiod is not judged by what istiod came to know later: only an address
    that istiod knows of no host at all counts.
    """
    meant, known = _meant(registry_endpoints)
    own = endpoints.assign(host=text(endpoints["cluster"]).str.extract(_OUTBOUND, expand=False).fillna(""))
    own = own.assign(ip=_ip(own["address"]))
    own = own[own["host"].isin(meant) & (own["ip"] != "")]
    own = own.assign(strange=~own["ip"].isin(known))
    rows = []
    for key, group in own.groupby(["namespace", "pod", "host"], observed=True):
        host = str(key[2])
        strange = group[group["strange"]]
        if len(strange):
            said = {
                "gone": ", ".join(sorted(set(strange["ip"]))[:3]),
                "meant": ", ".join(sorted(meant[host])[:3]) or "none",
                "share": strange["ip"].nunique() / group["ip"].nunique(),
                "evidence": tuple(keys(strange, "item", "pointer")),
            }
            rows.append({**dict(zip(("namespace", "pod", "host"), map(str, key), strict=True)), **said})
    return pd.DataFrame(rows, columns=["namespace", "pod", "host", "gone", "meant", "share", "evidence"])


def _meant(registry_endpoints: pd.DataFrame) -> tuple[dict[str, set[str]], set[str]]:
    """The addresses that istiod has, by host and together; a host of several clusters may be behind gateways."""
    ips = _ip(registry_endpoints["address"])
    made: dict[str, set[str]] = {}
    shards: dict[str, set[str]] = {}
    for host, shard, ip in zip(texts(registry_endpoints["host"]), texts(registry_endpoints["shard"]), ips, strict=True):
        made.setdefault(host, set()).add(ip)
        shards.setdefault(host, set()).add(shard)
    return {host: several for host, several in made.items() if len(shards[host]) == 1}, set(ips)


def _ip(address: "pd.Series[str]") -> "pd.Series[str]":
    """The address without its port; empty for a pipe or an internal listener."""
    whole = text(address)
    ip = whole.str.rsplit(":", n=1).str[0].str.strip("[]")
    return ip.where(ip.str.fullmatch(r"[0-9a-fA-F:.]+").fillna(False).astype(bool), "").astype("str")
