"""Pseudonyms of hosts: addresses become other addresses, names other names, the same for the same one under one key.

A name is one under a top-level domain that is known here. What may as well be the key of a field, or a Service and its
namespace, stays; so do the names that Kubernetes and meshes themselves are written in (API groups, types, images),
names of Services inside the cluster, and identities: certificates, which must stay whole, say those too.
"""

import hmac
import ipaddress
import re
from collections import Counter
from collections.abc import Iterator

_IPV4 = re.compile(rb"(?<!\d)(?<!\d\.)(?!127\.|0\.0\.0\.0|240\.)(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)")
_IPV6 = re.compile(
    rb"(?<![0-9A-Za-z:.])(?![0-9A-Fa-f]{0,4}::(?![0-9A-Fa-f]))"  # a name before the `::` of /clusters
    rb"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z:]|\.\d)"
)
_DASHED = re.compile(rb"(?<![A-Za-z0-9-])ip-(?!240-)((?:\d{1,3}-){3}\d{1,3})(?![A-Za-z0-9-])")
"""An address in the name of a node, as AWS gives them."""
_STAND_INS = ipaddress.ip_network("2001:db8::/32")

_DOMAINS = b"com net org edu gov biz io co".split()
_OTHERS = (
    b"mil int info ai app dev cloud tech online site store shop page run xyz internal corp lan home local intranet"
    b" private example test uk de fr nl es it pl se no dk fi be at ch eu us ca au nz jp cn kr in br mx ar cl pe za ng"
    b" ke eg ru ua tr il ae sa qa sg hk tw th vn ph id ie pt cz hu ro gr sk hr bg lt lv ee lu gg tv me"
).split()
"""Domains whose names a namespace may have as well: `web.shop` may be the Service web of shop, so that it stays."""
_LABEL = rb"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ENDS = (
    rb"(?:(?:" + _LABEL + rb"\.)+(?:" + b"|".join(_DOMAINS) + rb")"
    rb"|(?:" + _LABEL + rb"\.){2,}(?:" + b"|".join(_OTHERS) + rb"))"
)
_NAME = re.compile(
    rb"(?<![A-Za-z0-9_-])(?<![A-Za-z0-9-]\.)" + _ENDS + rb"(?![A-Za-z0-9_-]|\.[A-Za-z0-9_])"
    rb"|(?<=\|\|)" + _ENDS + rb"(?=[.;])(?!\.svc\.|\.[a-z0-9-]+\.svc\.)"
)
"""A name that stands alone; and one in the name of a statistic, after the ``||`` of a cluster's name."""
_OWN = re.compile(
    rb"(?:.+\.)?(?:cluster\.local|istio\.io|k8s\.io|kubernetes\.io|x-k8s\.io|linkerd\.io|smi-spec\.io|envoyproxy\.io"
    rb"|type\.googleapis\.com|grpc\.io|spiffe\.io|docker\.io|gcr\.io|quay\.io|ghcr\.io|github\.com|golang\.org|argoproj\.io"
    rb"|cert-manager\.io|prometheus\.io|opentelemetry\.io|openshift\.io|coreos\.com|cilium\.io|meshforensics\.dev"
    rb"|java\.io|w3\.org)"
)
_BEFORE_IDENTITY = re.compile(rb"(?:spiffe://|trust_?[dD]omain\\?[\"']?: ?\\?[\"']?)\Z")
_SECOND = re.compile(rb"(?:com?|org|net|ac|gov|go|edu)\.[a-z]{2}\Z")


def hosts_replaced(payload: bytes, key: bytes, counts: Counter[str]) -> bytes:
    """The payload with a pseudonym for each host; this host itself and pseudonyms stay."""

    def address(found: re.Match[bytes]) -> bytes:
        known = _address(found[0])
        if known is None:
            return found[0]
        counts["host"] += 1
        return _stand_in(known, key)

    def dashed(found: re.Match[bytes]) -> bytes:
        known = _address(found[1].replace(b"-", b"."))
        if known is None:
            return found[0]
        counts["host"] += 1
        return b"ip-" + _stand_in(known, key).replace(b".", b"-")

    def name(found: re.Match[bytes]) -> bytes:
        said = _name_for(found, key)
        counts["host-name"] += said is not None
        return found[0] if said is None else said

    payload = _NAME.sub(name, _DASHED.sub(dashed, payload))
    return _IPV6.sub(address, _IPV4.sub(address, payload))


def _name_for(found: re.Match[bytes], key: bytes) -> bytes | None:
    """The pseudonym of a name; of a Service that of its cluster's domain alone; None for one that stays."""
    whole = found[0].lower()
    if _OWN.fullmatch(whole) or _BEFORE_IDENTITY.search(found.string, max(0, found.start() - 24), found.start()):
        return None
    service, svc, domain = whole.partition(b".svc.")
    return service + svc + _alias(domain, key) if svc else _alias(whole, key)


def _alias(name: bytes, key: bytes) -> bytes:
    """Label for label, so that what is below a domain still is: ``*.a.com`` goes on to match ``b.a.com``."""
    labels = name.split(b".")
    top = 3 if _SECOND.search(name) and len(labels) > 2 else 2
    made = [*_aliases(labels, max(1, len(labels) - top + 1), key), b"invalid"]
    return b".".join(made)


def _aliases(labels: list[bytes], number: int, key: bytes) -> Iterator[bytes]:
    for at in range(number):
        digest = hmac.digest(key, b".".join(labels[at:]), "sha256").hex().encode()
        yield b"h" + digest[:8]


def _address(text: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a host; None for what is none, for this host itself, and for a pseudonym."""
    try:
        address = ipaddress.ip_address(text.decode())
    except ValueError:
        return None
    own = address.is_loopback or address.is_unspecified or address in _STAND_INS
    return None if own else address


def _stand_in(address: ipaddress.IPv4Address | ipaddress.IPv6Address, key: bytes) -> bytes:
    digest = hmac.digest(key, str(address).encode(), "sha256")
    if address.version == 4:
        return b"240.%d.%d.%d" % (digest[0], digest[1], digest[2])
    return b"2001:db8:" + b":".join(digest[at : at + 2].hex().encode() for at in range(0, 12, 2))
