"""istiod's ``/debug/syncz``: what it sent each connected proxy, and what the proxy accepted.

One nonce per type since the beginning (up to 1.14 as ``<prefix>=<uuid>``); since Istio 1.24 also
`resources` with the time of the push and the text of the last rejection.

Source: Istio pilot/pkg/xds/debug.go (SyncStatus, Syncz).
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._xds_message import escape
from meshforensics.formats.istiod_log import proxy_of
from meshforensics.formats.kubernetes import mapping, text
from meshforensics.formats.xds_type import short_type
from meshforensics.model import NotTheFormError

SyncStatus = Literal["SYNCED", "STALE", "NOT SENT", "NEVER ACKED", "NACKED"]

_WHAT = "istiod's syncz"
_FIELDS = {"cds": "cluster", "lds": "listener", "rds": "route", "eds": "endpoint", "ecds": "extensionconfig"}
_OPTIONAL = {"ecds"}


class Sync(msgspec.Struct, frozen=True, kw_only=True):
    """One type of resources at one proxy.

    Attributes:
        proxy: ``namespace/pod``, else the proxy's id as printed.
        type: ``cds``, ``lds``, ``rds``, ``eds``, ``ecds``, …
        sent: nonce of the last push; None when nothing was sent.
        acked: nonce of the last accepted push.
        sent_at: when it was pushed; None before Istio 1.24.
        error: text of the last rejection, which the next acceptance clears.
    """

    proxy: str
    cluster_id: str | None
    proxy_type: str | None
    proxy_version: str | None
    type: str
    sent: str | None
    acked: str | None
    sent_at: str | None
    error: str | None
    pointer: str

    @property
    def status(self) -> SyncStatus:
        """How the proxy stands, in the words of ``istioctl proxy-status`` and two more."""
        if self.sent is None:
            return "NOT SENT"
        if self.sent == self.acked:
            return "SYNCED"
        if self.error:
            return "NACKED"
        return "STALE" if self.acked else "NEVER ACKED"


def decode(payload: bytes) -> tuple[Sync, ...]:
    """Every type of every proxy, in the order of the document.

    Raises:
        TruncatedError: the document ends in the middle.
        NotTheFormError: it is not a list of proxies.
    """
    proxies = decode_json(payload, what=_WHAT)
    if proxies is None:  # Go prints an empty list so
        return ()
    if not isinstance(proxies, list) or not all(isinstance(each, dict) and "proxy" in each for each in proxies):
        raise NotTheFormError(f"not {_WHAT}: it is no list of objects with a proxy")
    return tuple(sync for number, each in enumerate(proxies) for sync in _syncs(each, f"/{number}"))


def _syncs(proxy: dict[str, Any], pointer: str) -> Iterator[Sync]:
    resources = mapping(proxy, "resources")
    seen = set()
    for url in resources:
        kind = short_type(url)
        seen.add(kind)
        yield _sync(proxy, kind, mapping(resources, url), f"{pointer}/resources/{escape(url)}")
    for kind, field in _FIELDS.items():
        said = {"sent": proxy.get(f"{field}_sent"), "acked": proxy.get(f"{field}_acked")}
        asked = kind not in _OPTIONAL and proxy.get("proxy_type") != "ztunnel"
        if kind not in seen and (asked or said["sent"]):
            place = f"{pointer}/{field}_sent" if f"{field}_sent" in proxy else pointer
            yield _sync(proxy, kind, said, place)


def _sync(proxy: dict[str, Any], kind: str, said: dict[str, Any], pointer: str) -> Sync:
    name = str(proxy["proxy"])
    return Sync(
        proxy=proxy_of(name) or name,
        cluster_id=text(proxy, "cluster_id"),
        proxy_type=text(proxy, "proxy_type"),
        proxy_version=text(proxy, "istio_version"),
        type=kind,
        sent=text(said, "sent"),
        acked=text(said, "acked"),
        sent_at=text(said, "sentTime"),
        error=text(said, "lastError"),
        pointer=pointer,
    )
