"""Pseudonyms of hosts: addresses become other addresses, the same for the same one under one key."""

import hmac
import ipaddress
import re
from collections import Counter

_IPV4 = re.compile(rb"(?<!\d)(?<!\d\.)(?!127\.|0\.0\.0\.0|240\.)(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d)")
_IPV6 = re.compile(
    rb"(?<![0-9A-Za-z:.])(?![0-9A-Fa-f]{0,4}::(?![0-9A-Fa-f]))"  # a name before the `::` of /clusters
    rb"(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z:]|\.\d)"
)
_STAND_INS = ipaddress.ip_network("2001:db8::/32")


def hosts_replaced(payload: bytes, key: bytes, counts: Counter[str]) -> bytes:
    """The payload with a pseudonym for each host; this host itself and pseudonyms stay."""

    def replace(found: re.Match[bytes]) -> bytes:
        address = _address(found[0])
        if address is None:
            return found[0]
        counts["host"] += 1
        return _stand_in(address.version, hmac.digest(key, str(address).encode(), "sha256"))

    return _IPV6.sub(replace, _IPV4.sub(replace, payload))


def _address(text: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a host; None for what is none, for this host itself, and for a pseudonym."""
    try:
        address = ipaddress.ip_address(text.decode())
    except ValueError:
        return None
    own = address.is_loopback or address.is_unspecified or address in _STAND_INS
    return None if own else address


def _stand_in(version: int, digest: bytes) -> bytes:
    if version == 4:
        return b"240.%d.%d.%d" % (digest[0], digest[1], digest[2])
    return b"2001:db8:" + b":".join(digest[at : at + 2].hex().encode() for at in range(0, 12, 2))
