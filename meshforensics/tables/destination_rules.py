"""DestinationRules: which subsets there are, and what the policy for a host asks for."""

from collections.abc import Iterator

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._kubernetes import json_text
from meshforensics.tables._specs import (
    EXPORT_TO,
    OWNER,
    Spec,
    frame_of,
    full_name,
    mapping,
    members,
    specs,
    text_of,
    whole,
    words,
)


def _rules(custom_resources: pd.DataFrame) -> pd.DataFrame:
    return frame_of(
        destination_rules, (row for spec in specs(custom_resources, "DestinationRule") for row in _of(spec))
    )


def _of(spec: Spec) -> Iterator[dict[str, object]]:
    shared = {
        "host": full_name(text_of(spec.body, "host") or "", spec.namespace) or None,
        "export_to": words(spec.body, "exportTo"),
        "selector": json_text(mapping(spec.body, "workloadSelector").get("matchLabels")),
    }
    yield spec.row("", **shared, **_policy(spec.body))
    for number, subset in enumerate(members(spec.body, "subsets")):
        own = {"subset": text_of(subset, "name"), "labels": json_text(subset.get("labels")), **_policy(subset)}
        yield spec.row(f"/subsets/{number}", **shared, **own)


def _policy(of: dict[str, object]) -> dict[str, object]:
    policy = mapping(of, "trafficPolicy")
    pool, outlier = mapping(policy, "connectionPool"), mapping(policy, "outlierDetection")
    tcp, http = mapping(pool, "tcp"), mapping(pool, "http")
    return {
        "tls_setting": text_of(mapping(policy, "tls"), "mode"),
        "max_connections": whole(tcp.get("maxConnections")),
        "max_pending_requests": whole(http.get("http1MaxPendingRequests")),
        "max_requests": whole(http.get("http2MaxRequests")),
        "max_ejection_percent": whole(outlier.get("maxEjectionPercent")),
    }


destination_rules = Table(
    id="destination_rules",
    about="DestinationRules: a row for the host as a whole, and one for each subset.",
    of="mesh",
    columns=(
        *OWNER,
        Column("host", "category", about="Host that it is for, in full.", source="host"),
        EXPORT_TO,
        Column("selector", "str", about="Labels of the callers it is for, as JSON.", source="workloadSelector"),
        Column("subset", "category", about="Name of the subset; missing in the row of the host.", source="subsets[]"),
        Column("labels", "str", about="Labels of the subset as JSON, keys sorted.", source="subsets[].labels"),
        Column("tls_setting", "category", about="How callers use TLS.", source="trafficPolicy.tls.mode"),
        Column("max_connections", "Int64", unit="connections", about="Limit asked for.", source="connectionPool.tcp"),
        Column(
            "max_pending_requests",
            "Int64",
            unit="requests",
            about="Limit asked for.",
            source="connectionPool.http.http1MaxPendingRequests",
        ),
        Column(
            "max_requests",
            "Int64",
            unit="requests",
            about="Limit asked for.",
            source="connectionPool.http.http2MaxRequests",
        ),
        Column(
            "max_ejection_percent",
            "Int64",
            unit="%",
            about="Share of hosts that may be ejected; Istio's default is 10.",
            source="outlierDetection.maxEjectionPercent",
        ),
    ),
    derives=_rules,
)
