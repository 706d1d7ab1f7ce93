"""What the bytes of an item are worth: captured, cut, empty, or an error text in place of the evidence."""

import re

import msgspec

from meshforensics.formats.sniff import error_text
from meshforensics.model import Cause, Status

_JSON = (
    "envoy.config_dump", "envoy.certs", "envoy.memory", "envoy.server_info", "envoy.runtime", "envoy.init_dump",
    "istiod.adsz", "istiod.configz", "istiod.registryz", "istiod.syncz", "istiod.push_status", "istiod.mesh",
    "ztunnel.config_dump",
)  # fmt: skip
"""Kinds whose bytes are one JSON document (an old /server_info is a line of text; people save dumps as YAML)."""
_LISTS = (
    "foreign.k8s-resources", "foreign.k8s-cluster-resources", "foreign.crs", "foreign.nodes", "foreign.pods",
    "kubernetes.objects",
)  # fmt: skip
"""Kinds that kubectl may have printed as a List in YAML."""
_ONE_LINE = re.compile(rb"envoy [0-9a-f]*/")
_YAML = re.compile(rb"(?:---\s*\n)?(?:- )?[\"']?[A-Za-z_@][\w@.-]*[\"']?:(?:\s|$)", re.MULTILINE)
_ENDS = re.compile(rb"^kind: ", re.MULTILINE)

Worth = tuple[Status, Cause | None, str]
GOOD: Worth = (Status.CAPTURED, None, "")


def worth(kind: str, payload: bytes, *, cut: bool = False) -> Worth:
    """Status, cause and detail of the bytes of an item; `cut` says that their source ended too early."""
    if cut:
        return Status.PARTIAL, Cause.TRUNCATED, "its source ends or is damaged inside it"
    if not payload.strip():
        return Status.FAILED, Cause.EMPTY, f"{len(payload)} bytes"
    if not kind.startswith("log.") and (said := error_text(payload)):
        return Status.FAILED, Cause.NOT_THE_FORM, said
    if kind in _JSON and not _ONE_LINE.match(payload):
        return _json(payload)
    return _list(payload) if kind in _LISTS else GOOD


def _json(payload: bytes) -> Worth:
    body = payload.removeprefix(b"\xef\xbb\xbf").lstrip()
    if body[:1] not in (b"{", b"[") and body.strip() != b"null":
        return GOOD if _YAML.match(body) else (Status.FAILED, Cause.NOT_THE_FORM, f"it begins {_first_line(body)}")
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "truncated" in str(error):
            return Status.PARTIAL, Cause.TRUNCATED, f"the JSON document ends in the middle, after {len(body)} bytes"
        return Status.FAILED, Cause.NOT_THE_FORM, str(error)
    return GOOD


def _list(payload: bytes) -> Worth:
    """A List in YAML says its kind after its items, as kubectl sorts keys: where that is lacking, its end is."""
    start = payload.rfind(b"\napiVersion:") + 1
    head, items, _ = payload[start : start + 100].partition(b"\nitems:")
    begins_list = bool(items) and not _ENDS.search(head)
    if begins_list and not _ENDS.search(payload[max(start, len(payload) - 2000) :]):
        return Status.PARTIAL, Cause.TRUNCATED, f"the YAML list ends in the middle, after {len(payload)} bytes"
    return GOOD


def _first_line(body: bytes) -> str:
    return repr(body[:80].partition(b"\n")[0].decode("utf-8", "replace"))
