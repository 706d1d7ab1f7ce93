"""Which custom resource made an xDS resource, as Istio notes it in the resource's metadata."""

import re

from meshforensics.formats._xds_message import Message

_CONFIG = re.compile(r"/?apis/[^/]+/[^/]+/namespaces/([^/]*)/([^/]+)/(.+)\Z")
_ACRONYMS = {"http", "grpc", "tcp", "tls", "udp"}


def object_of(resource: Message) -> str | None:
    """``VirtualService:travel/search`` for a resource that says which object made it.

    Source: `metadata.filter_metadata.istio.config`, written by istiod as
    ``/apis/networking.istio.io/v1alpha3/namespaces/travel/virtual-service/search``; Envoy Gateway writes
    `metadata.filter_metadata.envoy-gateway.resources`.
    """
    notes = resource.message("metadata", "filter_metadata")
    named = object_named(notes.message("istio").text("config"))
    if named is None and notes.has("envoy-gateway"):
        for made in notes.message("envoy-gateway").messages("resources"):
            return f"{made.text('kind')}:{made.text('namespace') or ''}/{made.text('name')}"
    return named


def object_named(config: str | None) -> str | None:
    """The subject form of an istiod config key; None when it has another form.

    >>> object_named("/apis/networking.istio.io/v1/namespaces/shop/destination-rule/user")
    'DestinationRule:shop/user'
    """
    found = _CONFIG.match(config or "")
    if not found:
        return None
    namespace, kind, name = found.groups()
    words = "".join(w.upper() if w in _ACRONYMS else w[:1].upper() + w[1:] for w in kind.split("-"))
    return f"{words}:{namespace}/{name}"
