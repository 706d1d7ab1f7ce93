"""CPU of proxies: against limits, against the requests they serve, against siblings; and throttling."""

import pandas as pd

from meshforensics.checks._containers import PROXIES
from meshforensics.checks._declare import check
from meshforensics.checks._usage import Load, above_siblings, loads, of_limit, unexplained, used_by
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, inside, keys, places


@check(
    "proxies.cpu-near-limit",
    phase="proxy-health",
    plane="service",
    threshold="cpu.share-of-limit",
    by=["container", "cpu_limit_m"],
    observed="share",
    unit="ratio",
    title="Proxy uses nearly all the CPU it may",
    detail="{count:pod|s}: {container} of {namespace}/{pod} uses {cpu_m}m of {cpu_limit_m}m",
    remediation="Raise the limit or the number of pods: what is throttled answers late.",
    source="guide, phase 1, step 1 (200m; judged here against the limit); Kubernetes metrics API and limits",
)
def cpu_near_limit(usage: pd.DataFrame, containers: pd.DataFrame) -> pd.DataFrame:
    return of_limit(used_by(usage, PROXIES, "cpu_m"), containers, "cpu_m", "cpu_limit_m")


@check(
    "proxies.cpu-over-profile",
    phase="proxy-health",
    plane="service",
    threshold="cpu.used",
    by=["container"],
    observed="unexplained_m",
    unit="millicores",
    title="Proxy uses more CPU than the requests it serves explain",
    detail="{count:pod|s}: {container} of {namespace}/{pod} uses {cpu_m}m; requests a second since its start: {rate}",
    remediation="Look at access logging, tracing, Wasm and Lua filters, at pushes, and at TLS handshakes.",
    source="guide, phase 1, step 1 (200m); Istio performance figures: 0.2 to 0.5 vCPU for 1000 requests a second",
)
def cpu_over_profile(usage: pd.DataFrame, profile: Profile, stats: pd.DataFrame = ABSENT) -> pd.DataFrame:
    """The rate is that since the proxy's start; where it is not known nothing is deducted, and the detail says so."""
    used = used_by(usage, PROXIES, "cpu_m")
    high = used[used["cpu_m"] > min(profile.threshold("cpu.used").levels.values())]
    known = loads(set(keys(high, "namespace", "pod")), stats, ABSENT)
    rates = [known.get(pod, Load()).rate for pod in keys(high, "namespace", "pod")]
    explained = [profile.number("cpu.per-request-rate") * (rate or 0.0) for rate in rates]
    return high.assign(
        unexplained_m=high["cpu_m"].astype(float) - pd.Series(explained, index=high.index, dtype=float),
        rate=["unknown" if rate is None else f"{rate:.1f}" for rate in rates],
    )


@check(
    "proxies.cpu-above-siblings",
    phase="proxy-health",
    plane="service",
    threshold="cpu.sibling-ratio",
    by=["workload", "container"],
    observed="ratio",
    unit="ratio",
    title="Proxy uses several times the CPU of its siblings",
    detail="{container} of {namespace}/{pod} uses {cpu_m}m, the others of {workload} {usual}m; it has {load}; "
    "they have {siblings}",
    remediation="See whether its node is short of CPU, whether clients stick to it, and how its config differs.",
    source="guide, phase 1, step 1, judged against pods of the same workload; judgement",
)
def cpu_above_siblings(
    usage: pd.DataFrame,
    pods: pd.DataFrame,
    profile: Profile,
    stats: pd.DataFrame = ABSENT,
    cluster_instances: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    high = above_siblings(
        used_by(usage, PROXIES, "cpu_m"), "cpu_m", pods, profile.number("cpu.sibling-difference"), profile
    )
    odd = unexplained(high, pods, stats, cluster_instances, profile)
    return odd.assign(usual=odd["usual"].astype(float), load=odd["own"], siblings=odd["theirs"])


def held_back(throttling: pd.DataFrame, containers: tuple[str, ...], window: Window) -> pd.DataFrame:
    """The mean share of the window's periods in which each of these containers was throttled."""
    own = inside(throttling, window)
    own = own[own["container"].isin(containers) & own["share"].notna()]
    rows = [
        {**group.iloc[0], "share": float(group["share"].mean()), "evidence": places(group)}
        for _, group in own.groupby(["namespace", "pod", "container"], observed=True)
    ]
    return pd.DataFrame(rows, columns=[*throttling.columns, "evidence"])


@check(
    "proxies.throttled",
    phase="proxy-health",
    plane="service",
    threshold="cpu.throttled-share",
    by=["container"],
    observed="share",
    unit="ratio",
    title="Proxy is throttled",
    detail="{count:pod|s}: {container} of {namespace}/{pod} was throttled in a share of {share:.2f} of its periods",
    remediation="Raise or remove the CPU limit of the sidecar, or set its concurrency to what the limit allows.",
    source="guide, phase 1, step 1; cAdvisor container_cpu_cfs_throttled_periods_total",
)
def throttled(throttling: pd.DataFrame, window: Window) -> pd.DataFrame:
    return held_back(throttling, PROXIES, window)
