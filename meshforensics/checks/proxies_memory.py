"""Memory of proxies: against limits, against what they hold and serve, against siblings, and over time."""

import pandas as pd

from meshforensics.checks._containers import PROXIES, in_mib
from meshforensics.checks._declare import check
from meshforensics.checks._usage import Load, above_siblings, loads, of_limit, unexplained, used_by
from meshforensics.profile import Profile
from meshforensics.tables import ABSENT, keys, true

_MIB = 1024 * 1024


@check(
    "proxies.memory-near-limit",
    phase="proxy-health",
    plane="service",
    threshold="memory.share-of-limit",
    by=["container", "memory_limit_bytes"],
    observed="share",
    unit="ratio",
    title="Proxy uses nearly all the memory it may",
    detail="{count:pod|s}: {container} of {namespace}/{pod} uses {used} of {limit}",
    remediation="See whether it grows, and with what, before raising the limit; the kernel kills it at the limit.",
    source="guide, phase 1, step 1 (500 MB; judged here against the limit); Kubernetes metrics API and limits",
)
def memory_near_limit(usage: pd.DataFrame, containers: pd.DataFrame) -> pd.DataFrame:
    used = used_by(usage, PROXIES, "memory_bytes")
    return _in_words(of_limit(used, containers, "memory_bytes", "memory_limit_bytes"))


def _in_words(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(
        used=[in_mib(size) for size in rows["memory_bytes"]],
        limit=[in_mib(size) for size in rows["memory_limit_bytes"]],
    )


@check(
    "proxies.memory-over-profile",
    phase="proxy-health",
    plane="service",
    threshold="memory.working-set",
    by=["container"],
    observed="unexplained_bytes",
    unit="bytes",
    title="Proxy uses more memory than what it holds explains",
    detail="{count:pod|s}: {container} of {namespace}/{pod} uses {used}, {explained} of it for its load: {load}",
    remediation="Scope what proxies are sent (Sidecar resources), look at telemetry labels, then at growth over time.",
    source="guide, phase 1, step 1 (300 and 500 MB); absolute numbers fit small meshes, so what configuration and "
    "connections take is deducted",
)
def memory_over_profile(
    usage: pd.DataFrame,
    profile: Profile,
    stats: pd.DataFrame = ABSENT,
    cluster_instances: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    used = used_by(usage, PROXIES, "memory_bytes")
    high = used[used["memory_bytes"] > min(profile.threshold("memory.working-set").levels.values())]
    known = loads(set(keys(high, "namespace", "pod")), stats, cluster_instances)
    held = [known.get(pod, Load()) for pod in keys(high, "namespace", "pod")]
    per_cluster, per_connection = profile.number("memory.per-cluster"), profile.number("memory.per-connection")
    explained = [per_cluster * (each.clusters or 0) + per_connection * (each.connections or 0) for each in held]
    return high.assign(
        unexplained_bytes=high["memory_bytes"].astype(float) - pd.Series(explained, index=high.index, dtype=float),
        used=[in_mib(size) for size in high["memory_bytes"]],
        explained=[in_mib(size) for size in explained],
        load=[str(each) for each in held],
    )


@check(
    "proxies.memory-above-siblings",
    phase="proxy-health",
    plane="service",
    threshold="memory.sibling-ratio",
    by=["workload", "container"],
    observed="ratio",
    unit="ratio",
    title="Proxy uses several times the memory of its siblings",
    detail="{container} of {namespace}/{pod} uses {used}, the others of {workload} {usual_size}; it has {load}; "
    "they have {siblings}",
    remediation="Compare version, uptime and open connections with a sibling; capture /memory over time.",
    source="guide, phase 1, step 1, judged against pods of the same workload; judgement",
)
def memory_above_siblings(
    usage: pd.DataFrame,
    pods: pd.DataFrame,
    profile: Profile,
    stats: pd.DataFrame = ABSENT,
    cluster_instances: pd.DataFrame = ABSENT,
) -> pd.DataFrame:
    """A proxy that holds or serves more in the same measure is no odd one."""
    used = used_by(usage, PROXIES, "memory_bytes")
    high = above_siblings(used, "memory_bytes", pods, profile.number("memory.sibling-difference"), profile)
    odd = unexplained(high, pods, stats, cluster_instances, profile)
    return odd.assign(
        used=[in_mib(size) for size in odd["memory_bytes"]],
        usual_size=[in_mib(size) for size in odd["usual"]],
        load=odd["own"],
        siblings=odd["theirs"],
    )


@check(
    "proxies.memory-retained",
    phase="proxy-health",
    plane="service",
    threshold="memory.retained-share",
    by=["what"],
    observed="share",
    unit="ratio",
    title="Proxy holds heap that nothing uses",
    detail="{count:proxy|s}: of a heap of {heap} in {namespace}/{pod} {live} are live; {physical} are resident",
    remediation="Nothing urgent: the limit counts it, a restart returns it; look for the peak that made it.",
    source="guide, memory-leak script (working set only; allocated against heap decides); istio#22939; Envoy /memory",
)
def memory_retained(memory: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    rows = retained(memory, profile)
    return rows.assign(
        what="heap",
        heap=[in_mib(size) for size in rows["heap_size"]],
        live=[in_mib(size) for size in rows["allocated"]],
        physical=["unknown" if pd.isna(size) else in_mib(size) for size in rows["total_physical_bytes"]],
    )


def retained(memory: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Large heaps of which a larger `share` is not live than the profile lets pass.

    Pages that were given back to the system are no part of a heap.
    """
    heap, live = memory["heap_size"].astype(float), memory["allocated"].astype(float)
    rows = memory.assign(share=(heap - live) / heap)[heap > profile.number("memory.least-heap")]
    return rows[rows["share"] > min(profile.threshold("memory.retained-share").levels.values())]


@check(
    "proxies.memory-outside-heap",
    phase="proxy-health",
    plane="service",
    threshold="memory.outside-heap",
    by=["container"],
    observed="outside_bytes",
    unit="bytes",
    title="Container uses memory that is not in Envoy's heap",
    detail="{count:pod|s}: {container} of {namespace}/{pod} uses {used}, of which Envoy holds {envoy}",
    remediation="Look at the agent beside Envoy, at Wasm extensions, at files in memory; no heap profile shows it.",
    source="guide, memory-leak script (working set only); Kubernetes working set against Envoy /memory",
)
def memory_outside_heap(usage: pd.DataFrame, memory: pd.DataFrame) -> pd.DataFrame:
    """The agent shares the container with Envoy; what it and the stacks take is below the profile's level."""
    physical = memory["total_physical_bytes"].fillna(memory["heap_size"])
    of_envoy = dict(zip(keys(memory, "namespace", "pod"), physical, strict=True))
    used = used_by(usage, ("istio-proxy",), "memory_bytes")
    held = pd.Series([of_envoy.get(pod) for pod in keys(used, "namespace", "pod")], index=used.index, dtype="Float64")
    rows = used.assign(outside_bytes=used["memory_bytes"].astype("Float64") - held, held=held)[held.notna()]
    return rows.assign(
        used=[in_mib(size) for size in rows["memory_bytes"]], envoy=[in_mib(size) for size in rows["held"]]
    )


def judged_growth(growth: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """Trends with `grows`: enough samples, a rise that is no noise, a slope above the least growth of the profile.

    `sure` says whether the lower end of the slope's interval is above the least growth too.
    """
    share = profile.number("memory.growth-share-per-hour") * growth["median_bytes"].astype(float)
    least = share.clip(lower=profile.number("memory.growth-per-hour"))
    first = growth["first_bytes"].astype(float)
    noise = (profile.number("memory.least-growth-share") * first).clip(lower=profile.number("memory.least-growth"))
    low, slope = growth["slope_low"].astype(float), growth["slope"].astype(float)
    enough = growth["samples"].astype(float) >= profile.number("memory.samples")
    grown = growth["last_bytes"].astype(float) - first > noise
    rises = true(growth["rises"], missing=False) & enough & grown & (low > 0) & (slope > least)
    return growth.assign(grows=rises, sure=low > least)


@check(
    "proxies.memory-grows",
    phase="proxy-health",
    plane="service",
    severity="warning",
    by=["what"],
    observed="slope_low",
    unit="bytes/h",
    title="Live memory of a proxy grows over the series",
    detail="{count:proxy|s}: {namespace}/{pod} grew from {first_mib} to {last_mib} MiB live in {span} s "
    "({samples:sample|s}); {unfinished}",
    remediation="See whether requests, configuration or series grow with it before calling it a leak.",
    source="guide, memory-leak script (corrected: slope with interval, not first minus last)",
)
def memory_grows(growth_over_time: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    judged = judged_growth(growth_over_time, profile)
    rising = judged[judged["grows"].astype(bool) & judged["sure"].astype(bool)]
    piled = rising["unfinished_share"].astype("Float64") >= profile.number("memory.unfinished-share")
    return rising.assign(
        what=["requests pile up" if each else "live memory grows" for each in true(piled, missing=False)],
        first_mib=[f"{value / _MIB:.1f}" for value in rising["first_bytes"]],
        last_mib=[f"{value / _MIB:.1f}" for value in rising["last_bytes"]],
        span=[f"{value:.0f}" for value in rising["span_s"]],
        unfinished=[_unfinished(value) for value in rising["unfinished_share"]],
    )


def _unfinished(share: float) -> str:
    if pd.isna(share):
        return "how many of its requests ended is not known"
    return f"{max(share, 0):.0%} of the requests begun meanwhile have not ended"
