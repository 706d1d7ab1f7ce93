"""Injection: pods that got no sidecar, one of another revision or version, one without limits; pods not created."""

import re
from typing import Any

import msgspec
import pandas as pd

from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.tables import ABSENT, keys, text, texts, true, where

_INJECTOR = r"sidecar-injector\.istio\.io|linkerd-proxy-injector"
_BACK_OFF = pd.Timedelta(seconds=1200)
"""A controller that cannot create pods tries again after 1000 s at most, so a newer event still holds."""

_INJECT, _LINKERD, _REVISION = "sidecar.istio.io/inject", "linkerd.io/inject", "istio.io/rev"
_NEVER = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")
"""Namespaces that Istio's injector leaves alone whatever their labels say."""

_YES, _NO = ("true", "enabled", "ingress"), ("false", "disabled")
_VERSION = re.compile(r"v?(\d+)\.(\d+)")


@check(
    "proxies.sidecar-missing",
    phase="proxy-health",
    plane="service",
    severity="warning",
    by=["asked_by"],
    observed="asked_by",
    title="Pod has no sidecar where one is asked for",
    detail="{count:pod|s}, {namespace}/{pod}{count:~| among them}, {count:~has|have} no sidecar, which {asked_by} "
    "asks for",
    remediation="Restart the workload so that it is injected; if that does not help look at the injector's webhook.",
    source="guide, phase 1, step 1 (its command prints nothing for such pods); Istio, automatic sidecar injection",
)
def sidecar_missing(pods: pd.DataFrame, namespaces: pd.DataFrame) -> pd.DataFrame:
    """A pod may say no; one on its node's network, a static one and one of a system namespace never get one."""
    alive = pods["phase"].isin(["Running", "Pending"]) & ~true(pods["deleting"], missing=False)
    able = ~true(pods["host_network"], missing=False) & ~text(pods["owner"]).str.startswith("Node:")
    bare = pods[alive & able & ~true(pods["injected"], missing=True) & ~pods["namespace"].isin(_NEVER)]
    by_namespace = dict(zip(texts(namespaces["namespace"]), keys(namespaces, "injection", "revision"), strict=True))
    return _asked(bare, by_namespace)


def _asked(bare: pd.DataFrame, by_namespace: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    asked = []
    for namespace, labels, annotations in keys(bare, "namespace", "labels", "annotations"):
        own, noted = _decoded(labels), _decoded(annotations)
        wish = str(own.get(_INJECT) or noted.get(_INJECT) or noted.get(_LINKERD) or "").lower()
        injection, revision = by_namespace.get(namespace, ("", ""))
        if wish in _NO:
            asked.append("")
        elif wish in _YES or own.get(_REVISION):
            asked.append("the pod itself")
        elif injection in _YES:
            asked.append(f"namespace {namespace} (injection {injection})")
        else:
            asked.append(f"namespace {namespace} (revision {revision})" if revision and injection not in _NO else "")
    return where(bare.assign(asked_by=asked), (each != "" for each in asked))


def _decoded(labels: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(labels or "{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


@check(
    "proxies.other-revision",
    phase="proxy-health",
    plane="service",
    severity="warning",
    by=["wanted", "held"],
    observed="held",
    title="Sidecar was injected by another revision than the one asked for",
    detail="{count:pod|s}, {namespace}/{pod}{count:~| among them}, {count:~has|have} a sidecar of revision {held} "
    "where {wanted} is asked for",
    remediation="Restart these workloads; until then they belong to the other revision's control plane.",
    source="guide, phase 1, step 1; Istio, canary upgrades (istio.io/rev, revision tags)",
)
def other_revision(pods: pd.DataFrame, namespaces: pd.DataFrame, webhooks: pd.DataFrame) -> pd.DataFrame:
    """A tag stands for the revision of its webhook; what no webhook stands for is not judged."""
    serves: dict[str, set[str]] = {}
    for revision, tag in keys(webhooks[webhooks["revision"].notna()], "revision", "tag"):
        serves.setdefault(revision, set()).add(revision)
        serves.setdefault(tag or revision, set()).add(revision)
    by_namespace = dict(zip(texts(namespaces["namespace"]), keys(namespaces, "injection", "revision"), strict=True))
    injected = pods[true(pods["injected"], missing=False) & ~true(pods["deleting"], missing=False)]
    wanted, held = [], []
    for namespace, labels, annotations in keys(injected, "namespace", "labels", "annotations"):
        injection, revision = by_namespace.get(namespace, ("", ""))
        of_namespace = "default" if injection == "enabled" else revision
        wanted.append(str(_decoded(labels).get(_REVISION) or of_namespace))
        held.append(_injected_by(_decoded(annotations)))
    differs = [
        bool(wish and has) and bool(serves.get(wish)) and has not in serves[wish] and has != wish
        for wish, has in zip(wanted, held, strict=True)
    ]
    return where(injected.assign(wanted=wanted, held=held), differs)


def _injected_by(annotations: dict[str, Any]) -> str:
    """The revision that injected a pod, as the injector noted it."""
    status = _decoded(str(annotations.get("sidecar.istio.io/status") or ""))
    return str(status.get("revision") or annotations.get(_REVISION) or "")


@check(
    "proxies.version-skew",
    phase="proxy-health",
    plane="control",
    threshold="proxies.version-skew",
    by=["version", "istiod_version"],
    observed="skew",
    unit="minors",
    title="Proxies and their control plane are of different versions",
    detail="{count:proxy runs|proxies run} {version}, their istiod {istiod_version}",
    remediation="Restart workloads after an upgrade of the control plane, one revision at a time; a proxy newer than "
    "its istiod is not supported.",
    source="Istio, supported releases (control plane and data plane skew)",
)
def version_skew(
    proxies: pd.DataFrame, control_plane_versions: pd.DataFrame, xds_sync: pd.DataFrame = ABSENT
) -> pd.DataFrame:
    """Of several control planes the one that a proxy is connected to; a newer proxy counts as one minor more."""
    told = dict(
        zip(keys(control_plane_versions, "namespace", "pod"), texts(control_plane_versions["version"]), strict=True)
    )
    only = next(iter(set(told.values()))) if len(set(told.values())) == 1 else ""
    of = dict(zip(keys(xds_sync, "namespace", "pod"), texts(xds_sync["istiod"]), strict=True)) if len(xds_sync) else {}
    known = {"/".join(pod): version for pod, version in told.items()}
    beside = [known.get(of.get(pod, ""), only) for pod in keys(proxies, "namespace", "pod")]
    skew = [_skew(own, istiod) for own, istiod in zip(texts(proxies["version"]), beside, strict=True)]
    rows = proxies.assign(istiod_version=beside, skew=pd.Series(skew, index=proxies.index, dtype="Int64"))
    return rows[rows["skew"].notna()]


def _skew(proxy: str, istiod: str) -> int | None:
    mine, theirs = _VERSION.match(proxy), _VERSION.match(istiod)
    if not mine or not theirs or mine[1] != theirs[1]:
        return None
    older = int(theirs[2]) - int(mine[2])
    return older if older >= 0 else 1 - older


@check(
    "proxies.no-memory-limit",
    phase="proxy-health",
    plane="service",
    severity="warning",
    by=["container"],
    title="Sidecar has no memory limit",
    detail="{count:pod|s}, {namespace}/{pod}{count:~| among them}, {count:~has|have} a sidecar without a memory limit",
    remediation="Set sidecar.istio.io/proxyMemoryLimit, or global.proxy.resources: what leaks then ends one pod, not "
    "its node.",
    source="guide, anti-pattern 2; Istio's default is 1024Mi (values.yaml)",
)
def no_memory_limit(containers: pd.DataFrame) -> pd.DataFrame:
    """The charts of Linkerd and of ztunnel set none, so theirs is no mistake of an injection."""
    return _without(containers, "memory_limit_bytes")


@check(
    "proxies.no-cpu-limit",
    phase="proxy-health",
    plane="service",
    severity="info",
    by=["container"],
    title="Sidecar has no CPU limit",
    detail="{count:pod|s}, {namespace}/{pod}{count:~| among them}, {count:~has|have} a sidecar without a CPU limit",
    remediation="Nothing, where requests are set and nodes have room: a limit throttles.",
    source="guide, anti-pattern 2; Istio's default is 2000m (values.yaml)",
)
def no_cpu_limit(containers: pd.DataFrame) -> pd.DataFrame:
    return _without(containers, "cpu_limit_m")


def _without(containers: pd.DataFrame, limit: str) -> pd.DataFrame:
    own = containers[(containers["container"] == "istio-proxy") & (containers["state"] != "terminated")]
    return own[own[limit].isna()]


def _pods_refused(events: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Events of controllers that still cannot create pods, with the one who refuses as `cause`."""
    since = min(pd.Timestamp(window.start), pd.Timestamp(window.end) - _BACK_OFF)
    found = events[(events["reason"] == "FailedCreate") & (events["at"] >= since)]
    message = text(found["message"])
    webhook = message.str.extract(r'webhook "([^"]+)"', expand=False)
    return found.assign(cause=webhook.where(webhook.notna(), message.str[:80]))


@check(
    "proxies.injection-fails",
    phase="proxy-health",
    plane="control",
    severity="error",
    by=["cause"],
    observed="cause",
    title="Pods cannot be created: the sidecar injector does not answer",
    detail="{count:controller|s} cannot create pods: {cause}; {object}: {message}",
    remediation="Look whether the injector's service has ready endpoints and its webhook the current CA bundle.",
    source="Kubernetes event FailedCreate; Istio ops, sidecar injection problems",
)
def injection_fails(events: pd.DataFrame, window: Window) -> pd.DataFrame:
    refused = _pods_refused(events, window)
    return refused[text(refused["message"]).str.contains(_INJECTOR)]


@check(
    "proxies.pods-refused",
    phase="proxy-health",
    plane="control",
    severity="warning",
    by=["cause"],
    observed="cause",
    title="Pods cannot be created",
    detail="{count:controller|s} cannot create pods: {cause}; {object}: {message}",
    remediation="Read what the policy, the quota or the service account forbids; injection adds init containers and "
    "capabilities that a policy may refuse (the CNI plugin does without).",
    source="Kubernetes event FailedCreate",
)
def pods_refused(events: pd.DataFrame, window: Window) -> pd.DataFrame:
    refused = _pods_refused(events, window)
    return refused[~text(refused["message"]).str.contains(_INJECTOR)]
