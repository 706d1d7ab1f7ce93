"""Configuration delivery: what the control plane sent against what each proxy runs."""

import re

import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, ips_of, keys, places, text, texts, true

_NOISE = re.compile(r"goo\.gle/debug\w+\s*")
"""What protobuf puts into its texts by chance, so that nobody compares them."""


def _told(rejections: pd.DataFrame) -> pd.DataFrame:
    """Rejections in comparable words: the text that causes share, and the object that made the resource."""
    said = [" ".join(_NOISE.sub("", message).split()) for message in texts(rejections["message"])]
    named = keys(rejections, "resource_name", "object")
    of = [f"{name}{f' ({maker})' if maker else ''}" if name else maker for name, maker in named]
    whose = [f" of {each}" if each else "" for each in of]
    return rejections.assign(message=pd.Series(said, index=rejections.index, dtype="str"), whose=whose)


def _long_ago(rejections: pd.DataFrame, profile: Profile) -> "pd.Series[bool]":
    """Logged before the window, and nothing tells whether it still stands."""
    age = (rejections["captured_at"] - rejections["at"]).dt.total_seconds()
    return rejections["current"].isna() & (age > profile.number("window")).fillna(False).astype(bool)


@check(
    "sync.rejected",
    phase="configuration",
    plane="control",
    severity="error",
    by=["type", "message"],
    observed="message",
    title="A proxy rejected its configuration",
    detail="{type}{whose} of {count:proxy|s} rejected: {message}",
    remediation="Correct the object that made the resource; a new pod has no last good one to keep.",
    source="guide, phase 2, step 4 (failed cluster configurations); Envoy UpdateFailureState (error_state), istiod "
    "debug/syncz lastError, istiod and proxy logs",
)
def rejected(rejections: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Those that stand, and those of the window of which nothing says that they are over."""
    current = true(rejections["current"], missing=True) & ~_long_ago(rejections, profile)
    return _told(rejections[current])


@check(
    "sync.rejected-earlier",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["type", "message"],
    observed="message",
    title="A proxy rejected its configuration, and nothing tells whether it still does",
    detail="{type}{whose} of {count:proxy|s} rejected at {at}: {message}",
    remediation="Capture istiod's syncz and the proxy's config dump and stats: they tell what stands.",
    source="guide, phase 2, step 4; istiod and proxy logs, older than the window",
)
def rejected_earlier(rejections: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    return _told(rejections[_long_ago(rejections, profile)])


@check(
    "sync.stale",
    phase="configuration",
    plane="control",
    threshold="sync.stale-age",
    by=["types", "istiod"],
    observed="age_s",
    unit="s",
    title="Proxies have not acknowledged what istiod sent",
    detail="{count:proxy runs|proxies run} {types} of before {sent_at}",
    remediation="Look for a rejection in the proxy's log, then at its connection to istiod.",
    source="guide, phase 2; istiod debug/syncz (sent and acked nonces)",
)
def stale(xds_sync: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """A proxy that stands still in several types is one that stands still."""
    behind = xds_sync[text(xds_sync["status"]).isin(["STALE", "NEVER ACKED"]) & xds_sync["sent_at"].notna()]
    rows = []
    for _, own in behind.groupby(["namespace", "pod", "istiod"], observed=True, dropna=False):
        oldest = own.sort_values("sent_at", kind="stable").iloc[0]
        types = ", ".join(sorted(set(text(own["type"]))))
        age = (at - oldest["sent_at"]).total_seconds()
        rows.append({**oldest.to_dict(), "types": types, "age_s": age, "evidence": places(own)})
    return pd.DataFrame(rows, columns=[*behind.columns, "types", "age_s", "evidence"])


@check(
    "sync.stale-since-unknown",
    phase="configuration",
    plane="control",
    severity="info",
    by=["type", "istiod"],
    title="Proxies are behind, since an unknown time",
    detail="{count:proxy has|proxies have} not acknowledged {type}; this istiod does not say when it sent it",
    remediation="Capture syncz again after a minute: seconds of difference are normal during a push.",
    source="istiod debug/syncz before 1.24 has nonces without times",
)
def stale_since_unknown(xds_sync: pd.DataFrame) -> pd.DataFrame:
    behind = xds_sync[xds_sync["status"].isin(["STALE", "NEVER ACKED"])]
    return behind[behind["sent_at"].isna()]


@check(
    "sync.never-sent",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["types", "istiod"],
    title="istiod never sent clusters or listeners to a proxy",
    detail="{types} never sent to {count:proxy|s}",
    remediation="Compare the proxy's revision and namespace with what this istiod serves.",
    source="istiod debug/syncz; routes, endpoints and extensions may rightly be never asked for",
)
def never_sent(xds_sync: pd.DataFrame) -> pd.DataFrame:
    """A proxy that waits for both waits for one thing."""
    unsent = xds_sync[(xds_sync["status"] == "NOT SENT") & xds_sync["type"].isin(["cds", "lds"])]
    unsent = unsent[unsent["proxy_type"] != "ztunnel"] if "proxy_type" in unsent else unsent
    return _by_proxy(unsent)


def _by_proxy(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per proxy and istiod, with its `types` together."""
    made = []
    for _, own in rows.groupby(["namespace", "pod", "istiod"], observed=True, dropna=False):
        first = {str(key): value for key, value in own.iloc[0].to_dict().items()}
        made.append({**first, "types": " and ".join(sorted(set(text(own["type"])))), "evidence": places(own)})
    return pd.DataFrame(made, columns=[*rows.columns, "types", "evidence"])


def _warming(instances: pd.DataFrame, at: pd.Timestamp, profile: Profile, kind: str) -> pd.DataFrame:
    waiting = instances[instances["state"] == "warming"]
    age = (at - waiting["last_updated"]).dt.total_seconds()
    old = age.fillna(0) >= profile.number("warming-age")
    aged: pd.DataFrame = waiting.assign(age_s=age, what=kind)[old]
    return aged


@check(
    "sync.warming",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["what", "name"],
    observed="age_s",
    unit="s",
    title="A listener or cluster waits to become active",
    detail="{what} {name} has been warming on {count:proxy|s} since {last_updated}",
    remediation="Read /init_dump: a listener waits for its routes or secrets, a cluster for its endpoints.",
    source="Envoy config_dump warming_state, dynamic_warming_clusters",
)
def warming(
    listener_instances: pd.DataFrame, cluster_instances: pd.DataFrame, at: pd.Timestamp, profile: Profile
) -> pd.DataFrame:
    return pd.concat(
        [
            _warming(listener_instances, at, profile, "listener"),
            _warming(cluster_instances, at, profile, "cluster"),
        ],
        ignore_index=True,
    )


@check(
    "sync.secret-not-delivered",
    phase="certificates",
    plane="control",
    severity="error",
    by=["name"],
    title="A certificate was never delivered to a proxy",
    detail="secret {name} is not delivered to {count:proxy|s}",
    remediation="Look at the agent's log and at istiod's CA errors; for a gateway, at its credentialName.",
    source="Envoy config_dump dynamic_warming_secrets, version_info uninitialized",
)
def secret_not_delivered(secret_instances: pd.DataFrame) -> pd.DataFrame:
    return secret_instances[secret_instances["state"] == "warming"]


@check(
    "sync.endpoint-gone",
    phase="configuration",
    plane="control",
    severity="warning",
    by=["address"],
    observed="address",
    title="Proxies send to an endpoint that is no pod any more",
    detail="{count:proxy knows|proxies know} {address} of {cluster}, which is no address of a running pod{was}",
    remediation="Look whether istiod still pushes endpoints: its log, its connection to the API server, syncz.",
    source="Envoy /clusters and EDS against the pods of the same capture; hosts of other clusters are not judged",
)
def endpoint_gone(endpoints: pd.DataFrame, pods: pd.DataFrame, pods_over_time: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """Judged where all pods are listed and none that the proxy's cluster could mean runs at the address.

    A cluster of which no host is a known pod belongs to another network or cluster, and is left out.
    """
    if not text(pods["item"]).str.startswith(("kubernetes.pods:-@", "foreign.k8s-resources:")).any():
        return endpoints.iloc[:0]
    running = set(texts(pods[pods["phase"].isin(["Running", "Pending"])]["ip"])) - {""}
    inside = endpoints[text(endpoints["cluster"]).str.match(r"outbound\|\d+\|[^|]*\|[^|]+\.svc\.")]
    ip = ips_of(inside["address"])
    known = ip.isin(running)
    networks = {each.rsplit(".", 2)[0] for each in running if each.count(".") == 3}
    near = pd.Series([each.count(".") == 3 and each.rsplit(".", 2)[0] in networks for each in ip], index=inside.index)
    gone = inside.assign(was=_once_of(ip, pods_over_time))
    return gone[~known & near.astype(bool)]


def _once_of(ips: "pd.Series[str]", pods_over_time: pd.DataFrame) -> "pd.Series[str]":
    """Whose an address was when pods were listed before, as the end of a sentence."""
    owners = {ip: f"; it was that of {namespace}/{pod}"
              for namespace, pod, ip in keys(pods_over_time, "namespace", "pod", "ip") if ip}  # fmt: skip
    return ips.map(lambda ip: owners.get(ip, "")).astype("str")
