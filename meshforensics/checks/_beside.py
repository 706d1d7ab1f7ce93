"""What else in a bundle confirms or refutes what a family of error texts says."""

from collections.abc import Callable, Mapping

import pandas as pd

from meshforensics.checks._containers import sidecars
from meshforensics.model.words import count_of, in_words
from meshforensics.tables import ROOT_NAMESPACE, text, texts, true

Frames = Mapping[str, pd.DataFrame]

_LEAST_LIMIT = 2**32 - 1
NOTHING = "nothing else in the bundle tells"


def beside(family: str, rows: pd.DataFrame, frames: Frames, at: pd.Timestamp) -> str:
    """One sentence; where nothing was captured that could tell, it says so."""
    judge = _JUDGES.get(family)
    return (judge(rows, frames, at) if judge else "") or NOTHING


def _has(frames: Frames, name: str) -> pd.DataFrame | None:
    frame = frames.get(name)
    return frame if frame is not None and len(frame) else None


def _pairs(_: pd.DataFrame, frames: Frames, __: pd.Timestamp) -> str:
    pairs = _has(frames, "tls_pairs")
    judged = pairs[pairs["verified"].notna()] if pairs is not None else None
    if judged is None or not len(judged):
        return ""
    broken = int((~true(judged["verified"], missing=True)).sum())
    if broken:
        return in_words(
            "confirmed: {broken} of {every:pair|s} that may call each other {broken:~does|do} not verify, by key",
            broken=broken,
            every=len(judged),
        )
    said = "{every:~the only pair that may call each other verifies|all {every} pairs that may call each other verify}"
    return in_words("refuted as of the capture: " + said + ", by key", every=len(judged))


def _by_key_alone(rows: pd.DataFrame, frames: Frames, at: pd.Timestamp) -> str:
    """For a text that does not say why: where keys are right, names and times are left."""
    said = _pairs(rows, frames, at)
    return "as of the capture all pairs verify by key: look at names and times" if said.startswith("refuted") else said


def _names(rows: pd.DataFrame, frames: Frames, _: pd.Timestamp) -> str:
    """The names that the callers' clusters accept, where no captured leaf shows one of them."""
    clusters, certificates = _has(frames, "clusters"), _has(frames, "certificates")
    if clusters is None or certificates is None:
        return ""
    own = clusters[text(clusters["name"]).isin(_cluster_names(rows))]
    accepted = {str(each) for many in own["sans"] if isinstance(many, tuple) for each in many}
    leaves = certificates[text(certificates["role"]) == "leaf"]
    shown = {str(each) for many in leaves["san"] if isinstance(many, tuple) for each in many}
    whole = bool(accepted) and all(each.startswith("spiffe://") for each in accepted)
    if not whole or not shown or accepted & shown:
        return ""
    return f"confirmed: {min(accepted)} is accepted, which no captured leaf shows"


def _ended(*roles: str) -> Callable[[pd.DataFrame, Frames, pd.Timestamp], str]:
    def judge(_: pd.DataFrame, frames: Frames, at: pd.Timestamp) -> str:
        certificates = _has(frames, "certificates")
        if certificates is None:
            return ""
        held = certificates[certificates["role"].isin(roles) & certificates["not_after"].notna()]
        ended = held[held["not_after"] < at]
        if len(ended):
            first = text(ended["serial"]).iloc[0]
            return f"confirmed: {count_of(ended['serial'].nunique(), 'such certificate')} had ended, {first} first"
        return (
            f"refuted as of the capture: none of {count_of(held['serial'].nunique(), 'such certificate')} had ended"
            if len(held)
            else ""
        )

    return judge


def _refused(_: pd.DataFrame, frames: Frames, __: pd.Timestamp) -> str:
    found = _has(frames, "rejections")
    if found is None:
        return ""
    names = ", ".join(sorted(set(texts(found["resource_name"])) - {""})[:3]) or "resources without name"
    standing = int(true(found["current"], missing=False).sum())
    if standing:
        return f"confirmed: {count_of(standing, 'rejection stands', 'rejections stand')}, among {len(found)} of {names}"
    if found["current"].isna().any():
        told = (
            "{count:rejection|s} of {names} "
            "{count:~is told, and not whether it stands|are told, and not whether they stand}"
        )
        return in_words(told, count=len(found), names=names)
    return f"over as of the capture: what was sent after {count_of(len(found), 'rejection')} of {names} was accepted"


def _denied(_: pd.DataFrame, frames: Frames, __: pd.Timestamp) -> str:
    found, config = _has(frames, "denials"), _has(frames, "config")
    if found is None:
        return ""
    named = sorted({each for many in found["objects"] if isinstance(many, tuple) for each in many})
    if config is None or not named:
        return f"{count_of(len(found), 'denial is', 'denials are')} logged; the policies were not captured"
    there = set(texts(config["object"]))
    known = [each for each in named if each in there]
    if known:
        return f"confirmed: {', '.join(known[:3])} stands behind them"
    return f"{named[0]} is named and was not among the objects captured: it was removed, or is new"


def _cluster_names(rows: pd.DataFrame) -> set[str]:
    return set(texts(rows["cluster"])) - {"", "-"}


def _no_cluster(rows: pd.DataFrame, frames: Frames, _: pd.Timestamp) -> str:
    clusters, wanted = _has(frames, "clusters"), _cluster_names(rows)
    if clusters is None or not wanted:
        return _routed_nowhere(clusters, _has(frames, "routes"))
    there = wanted & set(texts(clusters["name"]))
    if there:
        return f"refuted as of the capture: {min(there)} is there by now"
    return f"confirmed: no proxy has {min(wanted)}"


def _routed_nowhere(clusters: pd.DataFrame | None, routes: pd.DataFrame | None) -> str:
    """Where the lines do not name the cluster: a route to one that no proxy has."""
    if clusters is None or routes is None:
        return ""
    lost = routes[~text(routes["cluster"]).isin([*text(clusters["name"]), ""])]
    if lost.empty:
        return ""
    first = lost.iloc[0]
    return f"confirmed: route configuration {first['route_config']} names {first['cluster']}, which no proxy has"


def _no_host(rows: pd.DataFrame, frames: Frames, _: pd.Timestamp) -> str:
    endpoints, wanted = _has(frames, "endpoints"), _cluster_names(rows)
    if endpoints is None or not wanted:
        return ""
    hosts = endpoints[endpoints["cluster"].isin(wanted)]
    healthy = int((hosts["health"] == "HEALTHY").sum())
    first = min(wanted)
    if not healthy:
        return f"confirmed: {first} has {count_of(len(hosts), 'host')}, none of them healthy"
    said = "refuted as of the capture: {healthy} of {hosts:host|s} of {first} {healthy:~is|are} healthy"
    return in_words(said, healthy=healthy, hosts=len(hosts), first=first)


def _limit(rows: pd.DataFrame, frames: Frames, _: pd.Timestamp) -> str:
    clusters, wanted = _has(frames, "clusters"), _cluster_names(rows)
    own = clusters[clusters["name"].isin(wanted)] if clusters is not None else None
    if own is None or not len(own):
        return ""
    limits = own[["max_connections", "max_pending_requests", "max_requests"]].astype("float").min(axis=1)
    least = limits.min()
    if pd.isna(least) or least >= _LEAST_LIMIT:
        return "refuted: its limits are as good as none"
    return f"confirmed: {min(wanted)} has a limit of {least:.0f}"


def _killed(_: pd.DataFrame, frames: Frames, __: pd.Timestamp) -> str:
    containers = _has(frames, "containers")
    if containers is None:
        return ""
    killed = containers[containers["last_reason"] == "OOMKilled"]
    if len(killed):
        return f"confirmed: {count_of(len(killed), 'container')} ended last by OOMKilled"
    return "refuted as of the capture: no container ended last by OOMKilled"


def _roots(_: pd.DataFrame, frames: Frames, __: pd.Timestamp) -> str:
    trust = _has(frames, "trust")
    if trust is None:
        return ""
    several = trust["root"].nunique()
    if several > 1:
        return f"confirmed: {several} roots, by key, are held among the proxies"
    return "as of the capture all proxies hold one root, by key"


def _not_begun(_: pd.DataFrame, frames: Frames, at: pd.Timestamp) -> str:
    certificates = _has(frames, "certificates")
    held = certificates[certificates["not_before"].notna()] if certificates is not None else None
    if held is None or not len(held):
        return ""
    early = held[held["not_before"] > at]
    if len(early):
        return (
            f"confirmed: {count_of(early['serial'].nunique(), 'certificate')} had not begun, "
            f"{text(early['serial']).iloc[0]} first"
        )
    said = "{count:~the only certificate|all {count} certificates} had begun; look at clocks"
    return in_words("refuted as of the capture: " + said, count=held["serial"].nunique())


def _timed_out(rows: pd.DataFrame, frames: Frames, _: pd.Timestamp) -> str:
    """A route's own timeout; that none is set says nothing of a timeout that the caller asks for."""
    routes, wanted = _has(frames, "routes"), _cluster_names(rows)
    own = routes[routes["cluster"].isin(wanted) & (routes["timeout_s"] > 0)] if routes is not None else None
    if own is None or not len(own):
        return ""
    first = own.sort_values("timeout_s", kind="stable").iloc[0]
    return f"confirmed: a route to {first['cluster']} has a timeout of {first['timeout_s']:g} s"


def _unconnected(rows: pd.DataFrame, frames: Frames, _: pd.Timestamp) -> str:
    """Counted since each proxy's start, so that a count confirms, and only its absence refutes."""
    endpoints, wanted = _has(frames, "endpoints"), _cluster_names(rows)
    hosts = endpoints[endpoints["cluster"].isin(wanted)] if endpoints is not None else None
    counted = hosts[hosts["cx_connect_fail"].notna()] if hosts is not None else None
    if counted is None or not len(counted):
        return ""
    failing = set(texts(counted[counted["cx_connect_fail"] > 0]["address"]))
    number = counted["address"].nunique()
    if failing:
        return (
            f"confirmed: failed connections are counted at {len(failing)} of {count_of(number, 'host')}, "
            f"{min(failing)} first"
        )
    return f"no proxy counts a failed connection to the {count_of(number, 'host that is', 'hosts that are')} there now"


def _limited(rows: pd.DataFrame, frames: Frames, _: pd.Timestamp) -> str:
    """The limits that may be of the proxies that logged them: their namespaces' own, or the mesh's."""
    config = _has(frames, "config")
    if config is None:
        return ""
    near = config[text(config["namespace"]).isin([*texts(rows["namespace"]), ROOT_NAMESPACE])]
    envoy = (near["kind"] == "EnvoyFilter") & text(near["spec"]).str.contains("ratelimit", regex=False)
    limits = near[envoy | (near["kind"] == "HTTPLocalRateLimitPolicy")]
    return f"confirmed: {text(limits['object']).iloc[0]} sets a limit" if len(limits) else ""


def _unready(_: pd.DataFrame, frames: Frames, __: pd.Timestamp) -> str:
    """Those of a job that is done are not ready either, and are not meant."""
    containers = _has(frames, "containers")
    if containers is None:
        return ""
    own = sidecars(containers)
    alive = own[own["state"].isin(["running", "waiting"]) & own["ready"].notna()]
    unready = int((~true(alive["ready"], missing=True)).sum())
    if unready:
        said = "confirmed: {unready} of {every:sidecar|s} {unready:~is|are} not ready"
        return in_words(said, unready=unready, every=len(alive))
    said = "over as of the capture: {every:~the only sidecar is|all {every} sidecars are} ready"
    return in_words(said, every=len(alive)) if len(alive) else ""


_JUDGES: Mapping[str, Callable[[pd.DataFrame, Frames, pd.Timestamp], str]] = {
    "tls-unknown-root": _pairs,
    "tls-verify": _by_key_alone,
    "tls-identity": _names,
    "tls-not-yet-valid": _not_begun,
    "tls-leaf-expired": _ended("leaf"),
    "tls-root-expired": _ended("root", "intermediate"),
    "config-rejected": _refused,
    "rbac-denied": _denied,
    "no-cluster": _no_cluster,
    "no-healthy-upstream": _no_host,
    "overflow": _limit,
    "upstream-timeout": _timed_out,
    "connect-failure": _unconnected,
    "rate-limited": _limited,
    "not-ready": _unready,
    "out-of-memory": _killed,
    "root-changed": _roots,
    "root-refused": _roots,
}
