"""What both sides of a call are configured to speak: TLS or plaintext."""

import math

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._peers import ip_of, pods_by_address
from meshforensics.tables import keys, text, texts, true, where

Proxy = tuple[str, ...]
_LIVE = ("active", "static")


def plaintext_to_strict(case: Case, failed: pd.DataFrame) -> pd.DataFrame:
    """Of these failed calls, those that the caller sends in plaintext to a port that takes TLS only."""
    plain = _plaintext_clusters(case)
    strict = _strict_ports(case)
    pods = pods_by_address(case)
    calls = zip(keys(failed, "namespace", "pod"), texts(failed["cluster"]), texts(failed["upstream_host"]), strict=True)
    return where(
        failed,
        (
            (caller, cluster) in plain and _is_strict(strict.get(pods.get(ip_of(address), ()), {}), address)
            for caller, cluster, address in calls
        ),
    )


def _is_strict(ports: dict[int | None, bool], address: str) -> bool:
    port = address.rpartition(":")[2]
    own = int(port) if port.isdigit() else None
    return ports.get(own, ports.get(None, False))


def _plaintext_clusters(case: Case) -> set[tuple[Proxy, str]]:
    """Each caller with the outbound clusters that it sends to without TLS."""
    clusters, held = case.source.frame("clusters"), case.source.frame("cluster_instances")
    plain = clusters[~true(clusters["tls"], missing=True) & (clusters["direction"] == "outbound")]
    names = dict(zip(texts(plain["resource"]), texts(plain["name"]), strict=True))
    live = held[held["state"].isin(_LIVE) & held["resource"].isin(list(names))]
    pairs = zip(keys(live, "namespace", "pod"), texts(live["resource"]), strict=True)
    return {(proxy, names[resource]) for proxy, resource in pairs}


def _strict_ports(case: Case) -> dict[Proxy, dict[int | None, bool]]:
    """Of each proxy, for each port (None for any other), whether its inbound listener takes TLS only."""
    listeners, chains = case.source.frame("listeners"), case.source.frame("filter_chains")
    inbound = set(texts(listeners[text(listeners["direction"]).str.upper() == "INBOUND"]["resource"]))
    modes = {
        str(resource): _ports(rows)
        for resource, rows in chains.groupby(text(chains["resource"]))
        if resource in inbound
    }
    held = case.source.frame("listener_instances")
    live = held[held["state"].isin(_LIVE) & held["resource"].isin(list(modes))]
    made: dict[Proxy, dict[int | None, bool]] = {}
    for proxy, resource in zip(keys(live, "namespace", "pod"), texts(live["resource"]), strict=True):
        made.setdefault(proxy, {}).update(modes[resource])
    return made


def _ports(chains: pd.DataFrame) -> dict[int | None, bool]:
    made: dict[int | None, bool] = {}
    ports = chains["destination_port"].astype("float")
    for port, mode in zip(ports, texts(chains["tls_mode"]), strict=True):
        own = None if math.isnan(port) else int(port)
        made[own] = made.get(own, True) and mode in {"simple", "mutual"}
    return made
