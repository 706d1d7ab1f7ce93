"""Annotations of the mesh that nobody reads."""

from typing import Any

import msgspec
import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.tables import ABSENT, text

_KNOWN = {
    "alpha.istio.io": "canonical-serviceaccounts identity kubernetes-serviceaccounts",
    "ambient.istio.io": "bypass-inbound-capture dns-capture redirection waypoint-inbound-binding",
    "auth.istio.io": "",
    "galley.istio.io": "analyze-suppress",
    "gateway.istio.io": "controller-version name-override service-account tls-terminate-mode alias-for managed",
    "inject.istio.io": "templates",
    "install.operator.istio.io": "chart-owner owner-generation version",
    "istio.io": "autoRegistrationGroup config connectedAt disconnectedAt dry-run reroute-virtual-interfaces rev "
    "workloadController dataplane-mode service-upstream",
    "networking.istio.io": "address-type exportTo service-type traffic-distribution",
    "policy.istio.io": "check checkBaseRetryWaitTime checkMaxRetryWaitTime checkRetries lang",
    "prometheus.istio.io": "merge-metrics",
    "proxy.istio.io": "config overrides",
    "readiness.status.sidecar.istio.io": "applicationPorts failureThreshold initialDelaySeconds periodSeconds",
    "security.istio.io": "autoMTLS tlsMode",
    "sidecar.istio.io": "agentLogLevel bootstrapOverride componentLogLevel controlPlaneAuthPolicy discoveryAddress "
    "enableCoreDump extraStatTags inject interceptionMode logLevel nativeSidecar proxyCPU proxyCPULimit proxyImage "
    "proxyImageType proxyMemory proxyMemoryLimit rewriteAppHTTPProbers statsCompression statsEvictionInterval "
    "statsHistogramBuckets statsInclusionPrefixes statsInclusionRegexps statsInclusionSuffixes status userVolume "
    "userVolumeMount",
    "status.sidecar.istio.io": "port",
    "topology.istio.io": "controlPlaneClusters network",
    "traffic.istio.io": "nodeSelector",
    "traffic.sidecar.istio.io": "excludeInboundPorts excludeInterfaces excludeOutboundIPRanges excludeOutboundPorts "
    "includeInboundPorts includeOutboundIPRanges includeOutboundPorts kubevirtInterfaces",
}
"""Annotations that some release of Istio reads (istio/api annotation/annotations.yaml, all releases)."""

_READ = frozenset(f"{prefix}/{name}" for prefix, names in _KNOWN.items() for name in names.split())
_OWN = ("internal.istio.io/", "operator.istio.io/", "install.istio.io/")
"""What istiod and the operator write for themselves."""


@check(
    "routing.unknown-annotation",
    phase="configuration",
    plane="state",
    severity="warning",
    by=["annotation"],
    subject="object",
    observed="annotation",
    title="An annotation of istio.io that Istio does not know",
    detail="{annotation} on {count:object|s} is read by nothing: it has no effect",
    remediation="Take it out, or correct its name; tracing and logging are set by Telemetry resources.",
    source="guide, Booking.com's template (debug.istio.io/…); claims 8.1; istioctl analyze IST0108",
)
def unknown_annotation(config: pd.DataFrame, pods: pd.DataFrame = ABSENT) -> pd.DataFrame:
    rows = [*_unknown(config), *(_unknown(pods) if len(pods) else [])]
    return pd.DataFrame(rows, columns=["object", "annotation", "item", "pointer"])


def _unknown(frame: pd.DataFrame) -> list[dict[str, Any]]:
    doubtful = frame[text(frame["annotations"]).str.contains("istio.io/", regex=False)]
    said = zip(*(text(doubtful[column]) for column in ("object", "item", "pointer", "annotations")), strict=True)
    return [
        {"object": name, "annotation": key, "item": item, "pointer": _place(pointer, key)}
        for name, item, pointer, annotations in said
        for key in _keys(annotations)
        if _is_unknown(key)
    ]


def _keys(annotations: str) -> list[str]:
    try:
        held = msgspec.json.decode(annotations)
    except msgspec.DecodeError:
        return []
    return sorted(held) if isinstance(held, dict) else []


def _is_unknown(key: str) -> bool:
    prefix, slash, _ = key.partition("/")
    of_istio = bool(slash) and (prefix == "istio.io" or prefix.endswith(".istio.io"))
    return of_istio and key not in _READ and not key.startswith(_OWN)


def _place(pointer: str, key: str) -> str:
    """The annotation itself where the object is JSON or YAML; a place in text stays the object's."""
    if pointer and not pointer.startswith(("/", "#doc")):
        return pointer
    return f"{pointer}/metadata/annotations/{key.replace('~', '~0').replace('/', '~1')}"
