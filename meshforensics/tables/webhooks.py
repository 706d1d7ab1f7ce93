"""Admission webhooks: what stands between the API server and a change, or an injected sidecar."""

from collections.abc import Iterator
from typing import Any

from meshforensics.formats.kubernetes import KubernetesObject, mapping, members, text
from meshforensics.tables._declare import Column, Row, Table
from meshforensics.tables._kubernetes import json_text, number, reads, rows

_KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def _webhooks(one: KubernetesObject) -> Iterator[Row]:
    changed_at, changed_by = one.changed
    for index, hook in enumerate(members(one.body, "webhooks")):
        client = mapping(hook, "clientConfig")
        yield (
            f"{one.pointer}/webhooks/{index}",
            str(hook.get("name") or ""),
            one.kind,
            one.object,
            _service(mapping(client, "service")),
            text(client, "url"),
            bool(client.get("caBundle")),
            text(hook, "failurePolicy"),
            number(hook.get("timeoutSeconds")),
            text(one.labels, "istio.io/rev"),
            text(one.labels, "istio.io/tag"),
            json_text(hook.get("namespaceSelector")),
            one.created_at,
            changed_at,
            changed_by,
        )


def _service(service: dict[str, Any]) -> str | None:
    if not service.get("name"):
        return None
    return f"{service.get('namespace', '')}/{service['name']}:{service.get('port', 443)}{service.get('path') or ''}"


webhooks = Table(
    id="webhooks",
    about="Mutating and validating admission webhooks.",
    of="mesh",
    columns=(
        Column("name", "category", about="Name of the webhook.", source="webhooks[].name"),
        Column("kind", "category", about="Kind of its configuration.", source="kind"),
        Column("object", "category", about="Its configuration.", source="metadata"),
        Column("service", "category", about="namespace/name:port/path that is asked.", source="clientConfig.service"),
        Column("url", "str", about="URL that is asked in place of a service.", source="clientConfig.url"),
        Column("ca_bundle", "boolean", about="Has a CA bundle.", source="clientConfig.caBundle"),
        Column("failure_policy", "category", about="Fail or Ignore.", source="failurePolicy"),
        Column("timeout_s", "Float64", unit="s", about="How long it is waited for.", source="timeoutSeconds"),
        Column("revision", "category", about="Istio revision that it belongs to.", source="istio.io/rev"),
        Column("tag", "category", about="Name that stands for the revision.", source="istio.io/tag"),
        Column("selector", "str", about="Namespaces it is for, as JSON.", source="namespaceSelector"),
        Column("created_at", "datetime64[us, UTC]", about="Creation.", source="metadata.creationTimestamp"),
        Column("changed_at", "datetime64[us, UTC]", about="Last change.", source="managedFields"),
        Column("changed_by", "category", about="Field manager that changed it.", source="managedFields"),
    ),
    reads=reads(
        rows(_KINDS, _webhooks),
        "kubernetes.mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "kubernetes.validatingwebhookconfigurations.admissionregistration.k8s.io",
        "kubernetes.mutatingwebhookconfigurations",
        "kubernetes.validatingwebhookconfigurations",
        "foreign.k8s-cluster-resources",
        "foreign.k8s-resources",
    ),
    distinct=("object", "name"),
    sampled=True,
)
