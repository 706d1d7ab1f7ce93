"""Gateways: the ports that they open, and the hosts and certificates of each."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from meshforensics.tables._declare import Column, Table
from meshforensics.tables._kubernetes import json_text
from meshforensics.tables._specs import ISTIO, OWNER, Spec, frame_of, mapping, members, specs, text_of, whole, words

_GATEWAY_API = "gateway.networking.k8s.io"


def _servers(custom_resources: pd.DataFrame) -> pd.DataFrame:
    return frame_of(gateway_servers, _rows(custom_resources))


def _rows(custom_resources: pd.DataFrame) -> Iterator[dict[str, object]]:
    for spec in specs(custom_resources, "Gateway"):
        yield from _of_istio(spec)
    for spec in specs(custom_resources, "Gateway", _GATEWAY_API):
        yield from _of_gateway_api(spec)


def _of_istio(spec: Spec) -> Iterator[dict[str, object]]:
    selector = json_text(spec.body.get("selector"))
    for number, server in enumerate(members(spec.body, "servers")):
        port, tls = mapping(server, "port"), mapping(server, "tls")
        names = [text_of(tls, "credentialName"), *words(tls, "credentialNames")]
        yield spec.row(
            f"/servers/{number}",
            group=ISTIO,
            selector=selector,
            port=whole(port.get("number")),
            protocol=(text_of(port, "protocol") or "").upper() or None,
            hosts=words(server, "hosts"),
            tls_mode=text_of(tls, "mode") or ("SIMPLE" if tls and not tls.get("httpsRedirect") else None),
            credentials=tuple(name for name in names if name),
        )


def _of_gateway_api(spec: Spec) -> Iterator[dict[str, object]]:
    for number, listener in enumerate(members(spec.body, "listeners")):
        tls = mapping(listener, "tls")
        yield spec.row(
            f"/listeners/{number}",
            group=_GATEWAY_API,
            port=whole(listener.get("port")),
            protocol=(text_of(listener, "protocol") or "").upper() or None,
            hosts=(text_of(listener, "hostname") or "*",),
            tls_mode=(text_of(tls, "mode") or "Terminate").upper() if tls else None,
            credentials=tuple(_reference(each, spec.namespace) for each in members(tls, "certificateRefs")),
        )


def _reference(reference: dict[str, Any], namespace: str) -> str:
    return f"{text_of(reference, 'namespace') or namespace}/{text_of(reference, 'name') or ''}"


gateway_servers = Table(
    id="gateway_servers",
    about="What each Gateway, of Istio or of the Gateway API, opens: a row per server or listener.",
    of="mesh",
    columns=(
        *OWNER,
        Column("group", "category", about="API group of the Gateway.", source="apiVersion"),
        Column("selector", "str", about="Labels of the pods it is for, as JSON; Istio only.", source="selector"),
        Column("port", "Int64", about="Port that it opens.", source="servers[].port.number, listeners[].port"),
        Column("protocol", "category", about="HTTP, HTTPS, TLS, TCP, GRPC, …", source="protocol"),
        Column("hosts", "object", about="Hosts as written, as tuple: ns/host, *.", source="hosts, hostname"),
        Column("tls_mode", "category", about="SIMPLE, MUTUAL, PASSTHROUGH, TERMINATE, …", source="tls.mode"),
        Column("credentials", "object", about="Secrets with its certificates, as tuple.", source="credentialName(s)"),
    ),
    derives=_servers,
)
