"""What istiod means its proxies to have, against what they have."""

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.tables import ABSENT, ips_of, keys, text, texts, true, where

_PARTS = r"\Aoutbound\|(\d{1,5})\|[^|]*\|([^|]+)\Z"
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
    detail="{count:proxy sends|proxies send} to {gone} for {host}; istiod has {meant}",
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
    ip = ips_of(address)
    return ip.where(ip.str.fullmatch(r"[0-9a-fA-F:.]+").fillna(False).astype(bool), "").astype("str")


@check(
    "sync.clusters-differ",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["known"],
    observed="services",
    unit="services",
    title="Proxies hold clusters of services that istiod does not have",
    detail="{count:proxy has|proxies have} clusters of {services:service|s} of which {known}, such as {name}",
    remediation="Compare syncz for CDS; a proxy that keeps what is gone gets no pushes, or another istiod's.",
    source="guide, overview (Pilot out of sync); istiod debug/registryz against Envoy's config dump",
)
def clusters_differ(
    cluster_instances: pd.DataFrame, registry: pd.DataFrame, xds_sync: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """By host and port, against every istiod whose registry was captured; what came after it is not judged.

    However many services are gone, they are one finding: who holds them gets no pushes.

    A proxy of an istiod that did not tell its registry is left out. What a proxy lacks may be out of its scope.
    """
    ports = _ports(registry)
    parts = text(cluster_instances["name"]).str.extract(_PARTS)
    own = cluster_instances.assign(
        host=parts[1].astype("str"), port=pd.to_numeric(parts[0], errors="coerce").astype("Int64")
    )
    own = own[parts[1].notna() & ~true(own["last_updated"] > registry["captured_at"].max(), missing=False)]
    told, of = set(texts(registry["istiod"])), _istiods(xds_sync)
    own = where(own, (of.get(pod, told) <= told for pod in keys(own, "namespace", "pod")))
    pairs = list(zip(texts(own["host"]), own["port"], strict=True))
    known = ["istiod has not that port" if host in ports else "istiod has none" for host, _ in pairs]
    own = own.assign(
        known=pd.Series(known, index=own.index, dtype="str"),
        service=pd.Series([f"{host}:{port}" for host, port in pairs], index=own.index, dtype="str"),
    )
    strange = where(own, (port not in ports.get(host, ()) for host, port in pairs))
    return strange.assign(services=strange.groupby("known")["service"].transform("nunique"))


def _ports(registry: pd.DataFrame) -> dict[str, set[int]]:
    """The ports that istiods have of each host."""
    found: dict[str, set[int]] = {}
    for host, ports in zip(texts(registry["host"]), registry["ports"], strict=True):
        numbers = [each.partition("/")[0] for each in ports] if isinstance(ports, tuple) else []
        found.setdefault(host, set()).update(int(each) for each in numbers if each.isdigit())
    return found


def _istiods(xds_sync: pd.DataFrame) -> dict[tuple[str, ...], set[str]]:
    """The istiods that serve each proxy, as far as told."""
    found: dict[tuple[str, ...], set[str]] = {}
    if len(xds_sync):
        for pod, istiod in zip(keys(xds_sync, "namespace", "pod"), texts(xds_sync["istiod"]), strict=True):
            found.setdefault(pod, set()).add(istiod)
    return found
