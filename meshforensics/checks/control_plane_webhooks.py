"""Admission webhooks of a mesh: do they answer, can they be trusted, and what did they refuse."""

import pandas as pd

from meshforensics.checks._counts import label, of, recent
from meshforensics.checks._declare import check
from meshforensics.model import Window
from meshforensics.profile import Profile
from meshforensics.tables import keys, text, texts, true, where

_OF_A_MESH = r"istio\.io\Z|linkerd\.io\Z"
_INJECTOR = r"sidecar-injector\.istio\.io|linkerd-proxy-injector"
_CALL = r'failed calling webhook "([^"]+)"'
_ROOT = r"configmap:[^/]*/istio-ca-root-cert\Z"
_PATCHES = ("load_ca_bundle_failure", "webhook_update_failure")
"""Reasons for which istiod's own patch of a webhook failed; others say that there is none to patch."""


@check(
    "control-plane.webhook-fails",
    phase="control-plane",
    plane="control",
    severity="error",
    by=["webhook"],
    observed="webhook",
    title="A validation webhook of the mesh does not answer",
    detail="the API server could not call {webhook}: {object}: {message}",
    remediation="Look whether its service has ready endpoints, and at its CA bundle; no change passes.",
    source="guide, phase 1, step 2 (galley); Kubernetes events of who tried to change something",
)
def webhook_fails(events: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The injector's calls are findings of their own: proxies.injection-fails."""
    recent_ones = events[(events["at"] >= pd.Timestamp(window.start)) & (events["at"] <= pd.Timestamp(window.end))]
    webhook = text(recent_ones["message"]).str.extract(_CALL, expand=False).fillna("")
    own = webhook.str.contains(_OF_A_MESH) & ~webhook.str.contains(_INJECTOR)
    return recent_ones.assign(webhook=webhook)[own]


def _unanswered(webhooks: pd.DataFrame, services: pd.DataFrame, service_endpoints: pd.DataFrame) -> pd.DataFrame:
    """Webhooks of a mesh whose service is there and has no ready endpoint, where all endpoints are listed."""
    own = webhooks[text(webhooks["name"]).str.contains(_OF_A_MESH)]
    if not text(service_endpoints["item"]).str.contains(":-@").any():
        return own.iloc[:0].assign(of="")
    known = {f"{namespace}/{name}" for namespace, name in keys(services, "namespace", "name")}
    ready = service_endpoints[true(service_endpoints["ready"], missing=True)]
    answers = {f"{namespace}/{name}" for namespace, name in keys(ready, "namespace", "service")}
    of = text(own["service"]).str.extract(r"\A([^:]*)", expand=False)
    return where(own.assign(of=of), (each in known and each not in answers for each in of))


@check(
    "control-plane.webhook-without-endpoints",
    phase="control-plane",
    plane="control",
    severity="error",
    by=["of"],
    subject="{object}",
    observed="of",
    title="Nobody answers a webhook that must answer",
    detail="{count:webhook configuration fails|webhook configurations fail} closed, {name}{count:~| among them}, and "
    "{of} has no ready endpoint",
    remediation="Bring its pods back; until then what it watches cannot be created or changed.",
    source="guide, phase 1, step 2; Kubernetes, webhook failurePolicy Fail",
)
def webhook_without_endpoints(
    webhooks: pd.DataFrame, services: pd.DataFrame, service_endpoints: pd.DataFrame
) -> pd.DataFrame:
    rows = _unanswered(webhooks, services, service_endpoints)
    return rows[rows["failure_policy"] == "Fail"]


@check(
    "control-plane.webhook-ignored",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["of"],
    subject="{object}",
    observed="of",
    title="Nobody answers a webhook, and nobody notices",
    detail="{count:webhook configuration fails|webhook configurations fail} open, {name}{count:~| among them}, and "
    "{of} has no ready endpoint",
    remediation="Bring its pods back: pods that are created meanwhile get no sidecar, objects are not validated.",
    source="guide, phase 1, step 2; Kubernetes, webhook failurePolicy Ignore",
)
def webhook_ignored(webhooks: pd.DataFrame, services: pd.DataFrame, service_endpoints: pd.DataFrame) -> pd.DataFrame:
    rows = _unanswered(webhooks, services, service_endpoints)
    return rows[rows["failure_policy"] == "Ignore"]


@check(
    "control-plane.webhook-ca-missing",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["service"],
    subject="{object}",
    observed="service",
    title="A webhook of the mesh has no CA bundle",
    detail="{count:webhook configuration|s}, {name}{count:~| among them}, {count:~has|have} no CA bundle to verify "
    "{service} by",
    remediation="istiod writes it when it starts: look at its log for what hinders the patch, and at revisions that "
    "no istiod serves any more.",
    source="Kubernetes, WebhookClientConfig.caBundle; istiod patches its own webhooks",
)
def webhook_ca_missing(webhooks: pd.DataFrame) -> pd.DataFrame:
    own = webhooks[text(webhooks["name"]).str.contains(_OF_A_MESH) & (text(webhooks["service"]) != "")]
    return own[~true(own["ca_bundle"], missing=True)]


def _bundles(certificates: pd.DataFrame) -> pd.DataFrame:
    """The certificates in CA bundles of webhooks of a mesh, with the webhook's `name`."""
    held = certificates[text(certificates["place"]).str.startswith("webhook:")]
    named = held.assign(name=text(held["place"]).str.removeprefix("webhook:"))
    return named[named["name"].str.contains(_OF_A_MESH)]


@check(
    "control-plane.webhook-ca-mismatch",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["spki"],
    subject="subject_id",
    observed="fingerprint",
    title="The CA bundle of a webhook is not istiod's root",
    detail="{count:webhook configuration|s}, {name}{count:~| among them}, {count:~trusts|trust} {subject} (serial "
    "{serial}), no root of the mesh",
    remediation="Right where istiod's own certificate is signed by another CA; else restart istiod, which writes its "
    "present root there.",
    source="Istio: the injector's caBundle is the root of istiod's DNS certificate; compared by key with "
    "istio-ca-root-cert",
)
def webhook_ca_mismatch(certificates: pd.DataFrame, webhooks: pd.DataFrame) -> pd.DataFrame:
    roots = certificates[text(certificates["place"]).str.match(_ROOT) & certificates["spki"].notna()]
    of_mesh = set(texts(roots["spki"]))
    served = webhooks[
        text(webhooks["service"]).str.contains("/istiod") & text(webhooks["name"]).str.endswith("istio.io")
    ]
    own = set(keys(served, "object", "name"))
    held = _bundles(certificates)
    held = where(held, (each in own for each in keys(held, "subject_id", "name")))
    held = held[held["spki"].notna()]
    agree = {(subject, name) for subject, name, spki in keys(held, "subject_id", "name", "spki") if spki in of_mesh}
    return where(held, (bool(of_mesh) and each not in agree for each in keys(held, "subject_id", "name")))


@check(
    "control-plane.webhook-not-patched",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["namespace", "pod", "name"],
    observed="rose",
    unit="failures",
    title="istiod cannot write its CA bundle into a webhook",
    detail="{name} of {namespace}/{pod} rose by {rose} since {since} ({labels})",
    remediation="Read istiod's log: it may not be allowed to update the configuration, or cannot read its root.",
    source="istiod webhook_patch_failures_total, galley_validation_config_update_error, …_load_error",
)
def webhook_not_patched(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    """A conflict of two writers is tried again, and a webhook that is not there is none to patch."""
    counts = recent(istiod_counts_over_time, window, profile)
    patches = of(counts, ["webhook_patch_failures_total"])
    failed = where(patches, (reason in _PATCHES for reason in label(patches, "reason")))
    updates = of(counts, ["galley_validation_config_update_error", "galley_validation_config_load_error"])
    refused = where(updates, (reason.lower() not in {"conflict", "notfound"} for reason in label(updates, "reason")))
    rows = pd.concat([failed, refused], ignore_index=True) if len(refused) else failed
    return rows[rows["rose"] > 0]


@check(
    "control-plane.validation-failures",
    phase="control-plane",
    plane="control",
    severity="info",
    by=["resource", "reason"],
    observed="rose",
    unit="objects",
    title="Invalid configuration was refused",
    detail="{rose} {resource} were refused by {namespace}/{pod} since {since}: {reason}",
    remediation="Nothing for the mesh; whoever applied them may believe that they hold.",
    source="guide, diagram (galley: validation errors); istiod galley_validation_failed",
)
def validation_failures(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    failed = of(recent(istiod_counts_over_time, window, profile), ["galley_validation_failed"])
    named = failed.assign(resource=label(failed, "resource"), reason=label(failed, "reason"))
    return named[named["rose"] > 0]


@check(
    "control-plane.admission-errors",
    phase="control-plane",
    plane="control",
    severity="warning",
    by=["namespace", "pod", "name"],
    observed="rose",
    unit="requests",
    title="istiod could not handle admission requests",
    detail="{name} of {namespace}/{pod} rose by {rose} since {since}",
    remediation="Read istiod's log of that time: the injection template, its values, or what the API server sent.",
    source="istiod sidecar_injection_failure_total, galley_validation_http_error",
)
def admission_errors(istiod_counts_over_time: pd.DataFrame, window: Window, profile: Profile) -> pd.DataFrame:
    counts = recent(istiod_counts_over_time, window, profile)
    own = of(counts, ["sidecar_injection_failure_total", "galley_validation_http_error"])
    return own[own["rose"] > 0]
