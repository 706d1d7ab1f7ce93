"""Calls: each request once per hop, as its caller's proxy tells it, with what failed and who decided."""

import pandas as pd

from meshforensics.formats.signatures import family_of
from meshforensics.tables._declare import Column, Table
from meshforensics.tables._frames import ABSENT, keys, text

_FLAGLESS = "application"


def _calls(access_log: pd.DataFrame, pods: pd.DataFrame = ABSENT, proxies: pd.DataFrame = ABSENT) -> pd.DataFrame:
    rows = access_log[_from_caller(access_log, pods, proxies)].copy()
    rows["host"] = _host(rows)
    rows["subset"] = text(rows["cluster"]).str.split("|").str[2].fillna("")
    said = rows[["status", "flags", "details", "failure_reason"]]
    verdicts = {key: _verdict(*key) for key in {_key(row) for row in said.itertuples(index=False)}}
    made = [verdicts[_key(row)] for row in said.itertuples(index=False)]
    rows["failed"] = pd.Series([failed for failed, _, _ in made], index=rows.index, dtype="boolean")
    rows["family"] = pd.Series([family for _, family, _ in made], index=rows.index, dtype="str")
    rows["decided_by"] = pd.Series([by for _, _, by in made], index=rows.index, dtype="str")
    workloads = workloads_of(pods, proxies)
    rows["caller"] = [
        workloads.get((namespace, pod), f"{namespace}/{pod}") for namespace, pod in keys(rows, "namespace", "pod")
    ]
    return rows.drop_duplicates(["namespace", "pod", "at", "request_id", "cluster", "upstream_host", "pointer"])


def _key(row: tuple[object, ...]) -> tuple[int, tuple[str, ...], str, str]:
    status, flags, details, reason = row
    return (
        -1 if pd.isna(status) else int(status),  # type: ignore[call-overload]
        tuple(flags) if isinstance(flags, tuple) else (),
        details if isinstance(details, str) else "",
        reason if isinstance(reason, str) else "",
    )


def _verdict(status: int, flags: tuple[str, ...], details: str, reason: str) -> tuple[bool, str, str]:
    """Whether a call failed, of which family, and who decided: caller, upstream, client or nobody."""
    family = family_of(flags, details, reason)
    own = bool(flags) or (details not in {"", "-", "via_upstream"})
    if "DC" in flags or family == "client-gone":
        return False, "client-gone", "client"
    if status >= 500 or status == 429 or (status <= 0 and own):
        return True, family or _FLAGLESS, "caller" if own else "upstream"
    if status == 403 and family in {"rbac-denied", "ext-authz"}:
        return True, family, "caller" if own else "upstream"
    return False, family, "caller" if own and family else "nobody"


def _from_caller(access_log: pd.DataFrame, pods: pd.DataFrame, proxies: pd.DataFrame) -> "pd.Series[bool]":
    """Rows that the caller's side wrote: outbound ones, and those without cluster that came by no peer."""
    direction = text(access_log["direction"])
    addresses = {**_addresses(proxies), **_addresses(pods)}
    own = [addresses.get((namespace, pod), "") for namespace, pod in keys(access_log, "namespace", "pod")]
    local = text(access_log["downstream_local"]).str.rsplit(":", n=1).str[0]
    to_itself = pd.Series([bool(ip) and ip == at for ip, at in zip(own, local, strict=True)], index=access_log.index)
    gateway = _gateways(access_log, proxies)
    nowhere = ~direction.isin(["inbound", "outbound"])
    return (direction == "outbound") | (nowhere & (~to_itself | gateway))


def _gateways(access_log: pd.DataFrame, proxies: pd.DataFrame) -> "pd.Series[bool]":
    routers = {
        (str(row.namespace), str(row.pod)) for row in proxies.itertuples() if str(row.role) in {"router", "waypoint"}
    }
    pairs = keys(access_log, "namespace", "pod")
    return pd.Series([pair in routers for pair in pairs], index=access_log.index, dtype=bool)


def _addresses(frame: pd.DataFrame) -> dict[tuple[str, str], str]:
    if "ip" not in frame:
        return {}
    known = frame[frame["ip"].notna()]
    return {(str(row.namespace), str(row.pod)): str(row.ip) for row in known.itertuples()}


def workloads_of(pods: pd.DataFrame, proxies: pd.DataFrame) -> dict[tuple[str, str], str]:
    """The workload of each pod, as namespace/name."""
    names: dict[tuple[str, str], str] = {}
    for row in proxies.itertuples():
        if isinstance(row.workload, str) and row.workload:
            names[(str(row.namespace), str(row.pod))] = f"{row.namespace}/{row.workload}"
    for row in pods.itertuples():
        if isinstance(row.workload, str) and row.workload:
            names[(str(row.namespace), str(row.pod))] = row.workload.partition(":")[2] or row.workload
    return names


def _host(rows: pd.DataFrame) -> "pd.Series[str]":
    """The destination: the host of the cluster's name, else the authority without its port."""
    from_cluster = text(rows["cluster"]).str.split("|").str[3]
    authority = text(rows["authority"]).str.replace(r":\d+$", "", regex=True)
    return from_cluster.where(from_cluster.notna() & (from_cluster != ""), authority).astype("str")


calls = Table(
    id="calls",
    about="Each request once per hop, as its caller's proxy logged it: where to, and who failed it.",
    of="pod",
    columns=(
        Column("at", "datetime64[us, UTC]", about="Start of the request.", source="access log"),
        Column("caller", "category", about="Workload that called, as namespace/name.", source="pods, proxies"),
        Column("host", "category", about="Destination host.", source="cluster name, else authority"),
        Column("subset", "category", about="Subset of the destination; empty for none.", source="cluster name"),
        Column("cluster", "category", about="Envoy cluster.", source="access log"),
        Column("upstream_host", "category", about="Endpoint that was tried last.", source="access log"),
        Column("path", "str", about="Path of the request.", source="access log"),
        Column("protocol", "category", about="HTTP/1.1, HTTP/2, …, from the caller.", source="access log"),
        Column("route", "category", about="Name of the route.", source="access log"),
        Column("status", "Int64", about="HTTP status; 0 when no answer was sent.", source="access log"),
        Column("flags", "object", about="Response flags, sorted.", source="access log"),
        Column("details", "str", about="Response code details.", source="access log"),
        Column("failure_reason", "str", about="Upstream transport failure reason.", source="access log"),
        Column("duration_ms", "Int64", unit="ms", about="Duration of the request.", source="access log"),
        Column("request_id", "str", about="x-request-id; the same on every hop.", source="access log"),
        Column(
            "failed",
            "boolean",
            about="5xx, 429, denied by a policy, or ended by the mesh.",
            source="computed",
        ),
        Column(
            "family",
            "category",
            about="Family of the failure, by reason first and flags after.",
            source="formats.signatures",
        ),
        Column(
            "decided_by",
            "category",
            about="caller (this proxy), upstream (passed on), client or nobody.",
            source="flags and details",
        ),
    ),
    derives=_calls,
)
