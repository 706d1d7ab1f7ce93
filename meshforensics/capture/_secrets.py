"""Secrets: which there are, and the certificates of those that a mesh lives by; never a value that is no certificate.

Names and types come as the table that an API server prints, so that no value is sent at all. The certificates of a
few Secrets can only be had with the rest of each: those are read one by one, by name, and what is no certificate is
redacted before anything is kept. A body that is not whole is thrown away.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from meshforensics.capture._again import again
from meshforensics.capture._ask import Ask, Job, Record, Stage
from meshforensics.capture._cluster import Cluster
from meshforensics.capture._reply import Outcome, Reply, TroubleError, outcome_of, outcome_of_trouble
from meshforensics.formats.kubernetes import KubernetesObject, mapping, members, text
from meshforensics.formats.server_table import is_of_secrets
from meshforensics.model import Cause, Status

KIND = "kubernetes.secrets"
GATEWAYS = ("kubernetes.gateways.networking.istio.io", "kubernetes.gateways.gateway.networking.k8s.io")
"""Kinds of the lists that name credentials."""
_BY_CONTAINER = {
    "discovery": ("cacerts", "istio-ca-secret"),
    "identity": ("linkerd-identity-issuer",),
    "proxy-injector": (
        "linkerd-proxy-injector-k8s-tls",
        "linkerd-policy-validator-k8s-tls",
        "linkerd-sp-validator-k8s-tls",
    ),
}
"""The Secrets of a control plane, by a container that shows where it runs."""
_LISTS_FIRST = -1

Name = tuple[str, str]
"""Namespace and name."""


def of_control_planes(pods: Iterable[KubernetesObject]) -> list[Name]:
    """The Secrets that hold the certificates of authorities, in each namespace where a control plane runs."""
    found: dict[Name, None] = {}
    for pod in pods:
        containers = {str(one.get("name")) for one in members(pod.spec, "containers")}
        for container, names in _BY_CONTAINER.items():
            if container in containers and _is_of_a_mesh(pod, container):
                found.update(dict.fromkeys((pod.namespace or "", name) for name in names))
    return list(found)


def _is_of_a_mesh(pod: KubernetesObject, container: str) -> bool:
    return container == "discovery" or "linkerd.io/control-plane-component" in pod.labels


def of_gateways(gateways: Iterable[KubernetesObject], pods: Iterable[KubernetesObject]) -> list[Name]:
    """The credentials that gateways name; Istio's lie where the gateway's pods run."""
    known = list(pods)
    found: dict[Name, None] = {}
    for gateway in gateways:
        names = _of_istio(gateway, known) if gateway.group == "networking.istio.io" else _of_kubernetes(gateway)
        found.update(dict.fromkeys(names))
    return list(found)


def _of_istio(gateway: KubernetesObject, pods: list[KubernetesObject]) -> Iterator[Name]:
    wanted = mapping(gateway.spec, "selector").items()
    own = gateway.namespace or ""
    places = {pod.namespace or "" for pod in pods if wanted and wanted <= pod.labels.items()} or {own}
    for server in members(gateway.spec, "servers"):
        tls = mapping(server, "tls")
        several = tls.get("credentialNames")
        for credential in (tls.get("credentialName"), *(several if isinstance(several, list) else ())):
            if isinstance(credential, str) and credential:
                for place in sorted(places):
                    yield from _with_authority(credential, place, tls)


def _with_authority(credential: str, place: str, tls: dict[str, Any]) -> Iterator[Name]:
    """The credential, and where clients are verified the Secret that may hold their authority."""
    scheme, _, rest = credential.rpartition("://")
    namespace, _, name = rest.rpartition("/") if scheme else ("", "", rest)
    yield namespace or place, name
    if str(tls.get("mode", "")) in {"MUTUAL", "OPTIONAL_MUTUAL"}:
        yield namespace or place, f"{name}-cacert"


def _of_kubernetes(gateway: KubernetesObject) -> Iterator[Name]:
    for listener in members(gateway.spec, "listeners"):
        for reference in members(mapping(listener, "tls"), "certificateRefs"):
            name = text(reference, "name")
            if name and reference.get("kind", "Secret") == "Secret" and not reference.get("group"):
                yield text(reference, "namespace") or gateway.namespace or "", name


def jobs(cluster: Cluster, names: Iterable[Name]) -> Iterator[Job]:
    """A job for each Secret."""
    for number, (namespace, name) in enumerate(names):
        ask = Ask(kind=KIND, subject=f"Secret:{namespace}/{name}")
        yield Job(rank=(Stage.ACCESS, _LISTS_FIRST, number), asks=(ask,), work=_Read(cluster, namespace, name, ask))


@dataclass(frozen=True)
class _Read:
    """Reads one Secret."""

    cluster: Cluster
    namespace: str
    name: str
    ask: Ask

    async def __call__(self, record: Record) -> None:
        record(self.ask, await self._outcome())

    async def _outcome(self) -> Outcome:
        path = f"/api/v1/namespaces/{self.namespace}/secrets/{self.name}"
        try:
            reply = await again(lambda: self.cluster.get(path))
        except TroubleError as trouble:
            return outcome_of_trouble(trouble)
        if reply.status != 200:
            return outcome_of(KIND, reply)
        if reply.broken or _kind(reply.body) != "Secret":
            return Outcome(
                status=Status.FAILED, cause=Cause.TRUNCATED, detail=f"{reply.broken or 'not whole'}; not kept"
            )
        return Outcome(status=Status.CAPTURED, payload=reply.body)


def without_values(reply: Reply) -> Reply:
    """A page of a list of Secrets, where no value is in it.

    Raises:
        TroubleError: it is not whole, or something else than a table of names was sent.
    """
    if reply.status != 200:
        return reply
    if reply.broken:
        raise TroubleError(Cause.TRUNCATED, f"{reply.broken}; not kept")
    document = _decoded(reply.body)
    if document is None or not is_of_secrets(document):
        raise TroubleError(Cause.NOT_THE_FORM, "no table of names was sent; not kept, for it may hold values")
    return reply


def _kind(body: bytes) -> str:
    document = _decoded(body)
    return str(document.get("kind", "")) if document else ""


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
