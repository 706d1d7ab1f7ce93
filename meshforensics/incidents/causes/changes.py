"""When growth began, what changed then, and what a rollback or a limit would do about it."""

from typing import Any

import pandas as pd

from meshforensics.incidents._declare import Case
from meshforensics.incidents._growers import Grower, growers
from meshforensics.incidents.causes.drivers import pools
from meshforensics.incidents.causes.groups import grown_by_group
from meshforensics.incidents.causes.series import held, measure_of
from meshforensics.model.words import count_of, noun
from meshforensics.tables import keys, texts
from meshforensics.timeline import timeline

AROUND = pd.Timedelta("10min")
"""A change so long before growth began may have begun it."""

SAFE_SHARE = 0.8
"""Share of a limit up to which a bound is computed: the profile's first level of memory against its limit."""


def began(case: Case) -> pd.DataFrame:
    """When each proxy began to grow: after `after`, the last sample before, and not later than `before`."""
    samples = {str(proxy): rows for proxy, rows in held(case).groupby("proxy")}
    rows = []
    for each in growers(case):
        own = samples.get(each.subject)
        later = own[own["at"] > pd.Timestamp(each.onset)] if own is not None else pd.DataFrame()
        if own is None or later.empty:
            continue
        last = own[own["at"] <= pd.Timestamp(each.onset)].iloc[-1]
        since_first = bool(last["at"] == own["at"].iloc[0])
        rows.append((each.subject, last["at"], later["at"].iloc[0], since_first, last["item"], last["pointer"]))
    return pd.DataFrame(rows, columns=["proxy", "after", "before", "since_first", "item", "pointer"])


def changes_before(case: Case, at: pd.Timestamp, within: pd.Timedelta = AROUND) -> pd.DataFrame:
    """The dated events of every plane up to `at`, not longer before it than `within`; the latest first."""
    events = timeline(case.source)
    near = events[(events["at"] <= at) & (events["at"] >= at - within) & (events["plane"] != "")]
    return near.sort_values(["at", "text"], ascending=[False, True], kind="stable", ignore_index=True)


def pool_limits(case: Case) -> pd.DataFrame:
    """Of each pool that grows with memory: the limits that its proxy holds for it, and the limit that would have held.

    Columns: proxy, cluster, object (that sets them), max_connections, max_requests, max_requests_per_connection,
    idle_timeout_s, each (live bytes for one more), bound (how many fit below four fifths of the container's limit).
    """
    found = pools(case)
    upstream = found[found["what"] == "upstream"].drop_duplicates("proxy")
    clusters = {str(row["resource"]): row for _, row in case.source.frame("clusters").iterrows()}
    held_by = _resource_of(case)
    bases = _bases(case)
    rows = []
    for _, pool in upstream.iterrows():
        resource = held_by.get((pool["proxy"], pool["name"]), "")
        rows.append(_limits(pool, clusters.get(resource), bases.get(pool["proxy"])))
    return pd.DataFrame(rows, columns=[*_LIMITS])


_LIMITS = (
    *("proxy", "cluster", "object", "max_connections", "max_requests", "max_requests_per_connection"),
    *("idle_timeout_s", "last", "each", "bound", "item", "pointer"),
)


def _resource_of(case: Case) -> dict[tuple[str, str], str]:
    held_now = case.source.frame("cluster_instances")
    rows = zip(keys(held_now, "namespace", "pod", "name"), texts(held_now["resource"]), strict=True)
    return {(f"{namespace}/{pod}", name): resource for (namespace, pod, name), resource in rows}


def _bases(case: Case) -> dict[str, tuple[float, float]]:
    """Of each proxy, what its container held at first, and its limit."""
    made = {}
    for proxy, samples in held(case).groupby("proxy"):
        first = samples.iloc[0]
        if not pd.isna(first["limit"]):
            made[str(proxy)] = (float(first[measure_of(samples)]), float(first["limit"]))
    return made


def _limits(
    pool: "pd.Series[Any]", cluster: "pd.Series[Any] | None", base: tuple[float, float] | None
) -> dict[str, Any]:
    room = None if base is None else SAFE_SHARE * base[1] - base[0]
    bound = None if room is None or room <= 0 or pool["each"] <= 0 else int(room / pool["each"])
    names = ("object", "max_connections", "max_requests", "max_requests_per_connection", "idle_timeout_s")
    told = {name: None if cluster is None or pd.isna(cluster[name]) else cluster[name] for name in names}
    kept = {name: pool[name] for name in ("proxy", "last", "each", "item", "pointer")}
    return {**kept, "cluster": pool["name"], **told, "bound": bound}


def remedies(case: Case) -> pd.DataFrame:
    """What a rollback and limits would do, as far as the evidence tells: remedy, effect, known (whether it tells)."""
    grown = growers(case)
    if not grown:
        return pd.DataFrame(columns=["remedy", "effect", "known", "item", "pointer"])
    rows = [_rollback(case, grown), *_bounds(case), _restart(grown)]
    return pd.DataFrame(rows, columns=["remedy", "effect", "known", "item", "pointer"])


def _every(number: int) -> str:
    return noun(number, "the only proxy followed runs", f"all {number} proxies followed run")


def _rollback(case: Case, grown: list[Grower]) -> tuple[str, str, bool, str, str]:
    groups = grown_by_group(case)
    builds = groups[groups["by"].isin(["Envoy build", "Istio version"])]
    suspects = builds[builds["suspect"].astype(bool)]
    remedy = "Roll the proxy version back"
    if len(suspects):
        row = suspects.iloc[0]
        said = (
            f"would take {row['growing']} of {count_of(len(grown), 'growing proxy', 'growing proxies')} off "
            f"{row['by']} {row['group']}; no other "
            f"version grows so (p {row['p']:.2g})"
        )
        return remedy, said, True, str(row["item"]), str(row["pointer"])
    if builds.empty:
        return remedy, "not known: which version which proxy runs was not captured", False, "", ""
    row = builds.iloc[0]
    several = builds.groupby("by").size().max() > 1
    said = (
        "not shown to help: proxies grow under several versions alike"
        if several
        else f"not shown to help: {_every(row['followed'])} {row['by']} {row['group']}, "
        f"and {row['followed'] - row['growing']} of them {noun(row['followed'] - row['growing'], 'does', 'do')} "
        "not grow"
    )
    return remedy, said, several or bool(row["growing"] < row["followed"]), str(row["item"]), str(row["pointer"])


def _bounds(case: Case) -> list[tuple[str, str, bool, str, str]]:
    rows = []
    for _, row in pool_limits(case).iterrows():
        by = f" ({row['object']})" if isinstance(row["object"], str) else ""
        remedy = f"Limit the pool {row['cluster']} of {row['proxy']}{by}"
        if pd.isna(row["bound"]):
            said = "how many would fit is not known: the container's limit was not captured"
        else:
            said = (
                f"at {row['each'] / 1024:,.0f} KiB each, {row['bound']:,} fit below {100 * SAFE_SHARE:.0f} % of the "
                f"container's limit; {row['last']:,.0f} were open at last, and more than the limit would be refused, "
                "which shows (UO)"
            )
        rows.append((remedy, said, not pd.isna(row["bound"]), row["item"], row["pointer"]))
    return rows


def _restart(grown: list[Grower]) -> tuple[str, str, bool, str, str]:
    first = grown[0]
    item, pointer = first.row["evidence"][0] if first.row["evidence"] else ("", "")
    said = (
        "gives the memory back and ends the evidence: the growth begins again with what drives it, at "
        f"{first.row['slope'] / 1024 / 1024:,.0f} MiB/h in {first.subject}"
    )
    return "Restart the growing proxies", said, True, item, pointer
