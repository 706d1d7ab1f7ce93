"""Known error texts of every log, one finding a family: how many, when, how the rate changed, and what else tells."""

import numpy as np
import pandas as pd

from meshforensics.checks._beside import TELLS, beside, families
from meshforensics.checks._declare import check
from meshforensics.formats.signatures import shown
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, inside, keys, text, texts

_STREAM_ENDS = "xds-stream-closed"
_SHOWN = 100


def _families(
    signatures: pd.DataFrame,
    window: Window,
    known: tuple[str, ...],
    by: tuple[str, ...],
    log_coverage: pd.DataFrame,
    **frames: pd.DataFrame,
) -> pd.DataFrame:
    """Each family's lines of the window, with what is said of all of them."""
    ours = signatures[text(signatures["family"]).isin(known)]
    if inside(ours, window).empty:
        return ours.iloc[:0].assign(lines=0, first="", last="", trend="", example="", beside="")
    parts = []
    for _, all_of_it in ours.groupby([text(ours[name]).rename(name) for name in by], sort=True):
        group = inside(all_of_it, window)
        if group.empty:
            continue
        example = text(group.sort_values("at")["text"]).iloc[0]
        said = {
            "lines": int(group["times"].fillna(1).sum()),
            "first": group["first_at"].fillna(group["at"]).min(),
            "last": group["at"].max(),
            "trend": _trend(all_of_it, window, log_coverage),
            "example": shown(example, _SHOWN),
            "beside": beside(str(group["family"].iloc[0]), group, frames, window),
        }
        parts.append(group.assign(**said))
    return pd.concat(parts).sort_values("at", kind="stable")


def _trend(rows: pd.DataFrame, window: Window, log_coverage: pd.DataFrame) -> str:
    """The rate inside the window beside that before it; where no log reaches back, of the halves of what is there.

    Logs are those that the lines are of: that another one reaches further back says nothing of them.
    """
    start, end = pd.Timestamp(window.start), pd.Timestamp(window.end)
    own = log_coverage[log_coverage["item"].isin(rows["item"].unique())] if len(log_coverage) else log_coverage
    first = rows["first_at"].fillna(rows["at"]).min()
    since = min((at for at in (own["first_at"].min() if len(own) else pd.NaT, first) if pd.notna(at)), default=start)
    before, now = ("before", "") if since < start else ("in the first", " in the second half of the log")
    middle = start if since < start else since + (end - since) / 2
    earlier = _per_minute(_times(rows, since, middle), middle - since)
    later = _per_minute(_times(rows, middle, end + pd.Timedelta(microseconds=1)), end - middle)
    return f"{_said(later)} a minute{now}, {_said(earlier)} {before}"


def _said(rate: float) -> str:
    """Three digits of a small one, a large one to the line."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _times(rows: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp) -> float:
    """How often it was seen from `since` until before `until`; an event's times are spread over its span."""
    first, last = rows["first_at"].fillna(rows["at"]), rows["at"]
    span = (last - first).dt.total_seconds()
    within = (last.where(last < until, until) - first.where(first > since, since)).dt.total_seconds().clip(lower=0)
    at_once = ((last >= since) & (last < until)).astype("float64")
    share = (within / span.where(span > 0)).fillna(at_once)
    return float((rows["times"].fillna(1).astype("float64") * share).sum())


def _per_minute(count: float, span: pd.Timedelta) -> float:
    minutes = span.total_seconds() / 60
    return count / minutes if minutes > 0 else float(count)


_DETAIL = "{lines:line|s} from {first} to {last}, {trend}: {cause} ({family}{judged}); {beside}; e.g. {example}"


@check(
    "signatures.tls",
    phase="certificates",
    plane="state",
    severity="error",
    by=["family", "who"],
    observed="lines",
    unit="lines",
    title="TLS handshakes fail",
    detail=_DETAIL,
    remediation="`local` means that this proxy refused its peer; `peer` that the peer refused it.",
    source="guide, error messages; BoringSSL error strings in Envoy's transport failure reason",
)
def tls(
    signatures: pd.DataFrame,
    window: Window,
    log_coverage: pd.DataFrame = ABSENT,
    stats: pd.DataFrame = ABSENT,
    access_log: pd.DataFrame = ABSENT,
    tls_pairs: pd.DataFrame = ABSENT,
    certificates: pd.DataFrame = ABSENT,
    clusters: pd.DataFrame = ABSENT,
    endpoints: pd.DataFrame = ABSENT,
    pods: pd.DataFrame = ABSENT,
    trust: pd.DataFrame = ABSENT,
    webhooks: pd.DataFrame = ABSENT,
    secret_instances: pd.DataFrame = ABSENT,
    config: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = _families(
        signatures, window, families("tls"), ("family", "who"), log_coverage,
        stats=stats, access_log=access_log, tls_pairs=tls_pairs, certificates=certificates, clusters=clusters,
        endpoints=endpoints, pods=pods, trust=trust, webhooks=webhooks, secret_instances=secret_instances,
        config=config,
    )  # fmt: skip
    return rows.assign(judged=", judged by " + text(rows["who"]))


@check(
    "signatures.delivery",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["family"],
    observed="lines",
    unit="lines",
    title="Errors between proxies and the control plane",
    detail=_DETAIL,
    remediation="Read the first and the last of them; a few during a restart of istiod are normal.",
    source="Envoy, pilot-agent and istiod log texts",
)
def delivery(
    signatures: pd.DataFrame,
    window: Window,
    log_coverage: pd.DataFrame = ABSENT,
    stats: pd.DataFrame = ABSENT,
    access_log: pd.DataFrame = ABSENT,
    rejections: pd.DataFrame = ABSENT,
    xds_sync: pd.DataFrame = ABSENT,
    config: pd.DataFrame = ABSENT,
    certificates: pd.DataFrame = ABSENT,
    ztunnel_identities: pd.DataFrame = ABSENT,
    webhooks: pd.DataFrame = ABSENT,
    services: pd.DataFrame = ABSENT,
    service_endpoints: pd.DataFrame = ABSENT,
    istiod_counts: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = _families(
        signatures, window, families("delivery"), ("family",), log_coverage,
        stats=stats, access_log=access_log, rejections=rejections, xds_sync=xds_sync, config=config,
        certificates=certificates, ztunnel_identities=ztunnel_identities, webhooks=webhooks, services=services,
        service_endpoints=service_endpoints, istiod_counts=istiod_counts,
    )  # fmt: skip
    return rows.assign(judged="")


@check(
    "signatures.roots",
    phase="certificates",
    plane="state",
    severity="warning",
    by=["family"],
    observed="lines",
    unit="lines",
    title="A root CA changed, or a change was refused",
    detail=_DETAIL,
    remediation="Compare the roots that proxies hold; date the change by these lines.",
    source="guide, phase 3; istiod and pilot-agent log texts on root certificates",
)
def roots(
    signatures: pd.DataFrame,
    window: Window,
    log_coverage: pd.DataFrame = ABSENT,
    trust: pd.DataFrame = ABSENT,
    cluster_secrets: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = _families(
        signatures, window, families("roots"), ("family",), log_coverage,
        trust=trust, cluster_secrets=cluster_secrets,
    )  # fmt: skip
    return rows.assign(judged="")


@check(
    "signatures.seen",
    phase="traffic",
    plane="service",
    severity="info",
    by=["family"],
    observed="lines",
    unit="lines",
    title="Known error texts in the logs",
    detail=_DETAIL,
    remediation="See the family: table signatures has each line with its cause and what to do first.",
    source="guide, error messages that indicate mesh issues; Envoy, istiod, ztunnel and Linkerd log texts",
)
def seen(
    signatures: pd.DataFrame,
    window: Window,
    log_coverage: pd.DataFrame = ABSENT,
    stats: pd.DataFrame = ABSENT,
    access_log: pd.DataFrame = ABSENT,
    denials: pd.DataFrame = ABSENT,
    config: pd.DataFrame = ABSENT,
    mesh_config: pd.DataFrame = ABSENT,
    clusters: pd.DataFrame = ABSENT,
    routes: pd.DataFrame = ABSENT,
    virtual_hosts: pd.DataFrame = ABSENT,
    virtual_service_rules: pd.DataFrame = ABSENT,
    filter_chains: pd.DataFrame = ABSENT,
    endpoints: pd.DataFrame = ABSENT,
    pods: pd.DataFrame = ABSENT,
    containers: pd.DataFrame = ABSENT,
    service_ports: pd.DataFrame = ABSENT,
    runtime_keys: pd.DataFrame = ABSENT,
    network_policies: pd.DataFrame = ABSENT,
    ztunnel_connections: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """The families of calls, and those that nothing is declared of."""
    rows = _families(
        signatures, window, _of_calls(signatures), ("family",), log_coverage,
        stats=stats, access_log=access_log, denials=denials, config=config, mesh_config=mesh_config,
        clusters=clusters, routes=routes, virtual_hosts=virtual_hosts, virtual_service_rules=virtual_service_rules,
        filter_chains=filter_chains, endpoints=endpoints, pods=pods, containers=containers,
        service_ports=service_ports, runtime_keys=runtime_keys, network_policies=network_policies,
        ztunnel_connections=ztunnel_connections,
    )  # fmt: skip
    return rows.assign(judged="")


def _of_calls(signatures: pd.DataFrame) -> tuple[str, ...]:
    elsewhere = {family for family, tells in TELLS.items() if tells.topic != "calls"}
    return tuple(sorted(set(texts(signatures["family"])) - elsewhere - {""}))


@check(
    "signatures.streams",
    phase="control-plane",
    plane="control",
    severity="info",
    by=["family"],
    observed="lines",
    unit="lines",
    title="Known error texts of configuration streams and of what istiod reads",
    detail=_DETAIL,
    remediation="See the family: table signatures has each line with its cause and what to do first.",
    source="Envoy, pilot-agent, istiod, ztunnel and Linkerd log texts; keepaliveMaxServerConnectionAge ends streams",
)
def streams(
    signatures: pd.DataFrame,
    window: Window,
    profile: Profile,
    log_coverage: pd.DataFrame = ABSENT,
    stats: pd.DataFrame = ABSENT,
    containers: pd.DataFrame = ABSENT,
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
    xds_sync: pd.DataFrame = ABSENT,
    xds_connections: pd.DataFrame = ABSENT,
    gateway_servers: pd.DataFrame = ABSENT,
    cluster_secrets: pd.DataFrame = ABSENT,
    config: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """Configuration streams that end now and then are how they live."""
    rows = _families(
        _without_usual_ends(signatures, window, profile), window, families("streams"), ("family",), log_coverage,
        stats=stats, containers=containers, pods=pods, proxies=proxies, xds_sync=xds_sync,
        xds_connections=xds_connections, gateway_servers=gateway_servers, cluster_secrets=cluster_secrets,
        config=config,
    )  # fmt: skip
    return rows.assign(judged="")


@check(
    "signatures.pods",
    phase="proxy-health",
    plane="service",
    severity="info",
    by=["family"],
    observed="lines",
    unit="lines",
    title="Known error texts of pods that start, run or end badly",
    detail=_DETAIL,
    remediation="See the family: table signatures has each line with its cause and what to do first.",
    source="Kubernetes events; Envoy, pilot-agent, istio-cni and ztunnel log texts",
)
def pods(
    signatures: pd.DataFrame,
    window: Window,
    log_coverage: pd.DataFrame = ABSENT,
    stats: pd.DataFrame = ABSENT,
    containers: pd.DataFrame = ABSENT,
    pods: pd.DataFrame = ABSENT,
    proxies: pd.DataFrame = ABSENT,
    proxy_states: pd.DataFrame = ABSENT,
    bound_listeners: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    rows = _families(
        signatures, window, families("pods"), ("family",), log_coverage,
        stats=stats, containers=containers, pods=pods, proxies=proxies, proxy_states=proxy_states,
        bound_listeners=bound_listeners,
    )  # fmt: skip
    return rows.assign(judged="")


def _without_usual_ends(signatures: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """Without the stream ends of proxies that had few of them in the window."""
    ends = text(signatures["family"]) == _STREAM_ENDS
    recent = inside(signatures[ends], window)
    counts = recent.groupby([text(recent["namespace"]), text(recent["pod"])]).size()
    often = set(counts[counts > profile.number("signatures.stream-ends")].index)
    many = [pod in often for pod in keys(signatures, "namespace", "pod")]
    return signatures[~ends | np.array(many, dtype=bool)]
