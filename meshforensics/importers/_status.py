"""What a member's bytes are worth: captured, cut, empty, or an error text in place of the evidence."""

import re

import msgspec

from meshforensics.model import Cause, Status

_ERROR_TEXT = re.compile(
    rb"\s*(?:404 page not found|403 Forbidden|401 Unauthorized|Error from server|error: |Internal Server Error|"
    rb"upstream connect error|no healthy upstream|invalid path\. admin commands|<!DOCTYPE html|<html|Forbidden\b|"
    rb"command terminated with exit code|unable to upgrade connection|curl: \(\d+\)|exec format error)",
    re.IGNORECASE,
)
_JSON = (
    "envoy.config_dump", "envoy.certs", "envoy.memory", "envoy.server_info", "envoy.runtime", "envoy.init_dump",
    "istiod.adsz", "istiod.configz", "istiod.registryz", "istiod.syncz", "istiod.push_status",
    "ztunnel.config_dump",
)  # fmt: skip
"""Kinds whose bytes are one JSON document (an old /server_info is a line of text)."""
_ONE_LINE = re.compile(rb"envoy [0-9a-f]*/")

Worth = tuple[Status, Cause | None, str]
GOOD: Worth = (Status.CAPTURED, None, "")


def worth(kind: str, payload: bytes, *, cut: bool = False) -> Worth:
    """Status, cause and detail of a member's bytes."""
    if cut:
        return Status.PARTIAL, Cause.TRUNCATED, "the archive ends inside this member"
    if not payload.strip():
        return Status.FAILED, Cause.EMPTY, f"{len(payload)} bytes"
    if _ERROR_TEXT.match(payload[:400]) and not kind.startswith("log."):
        return Status.FAILED, Cause.NOT_THE_FORM, _first_line(payload)
    if kind in _JSON and not _ONE_LINE.match(payload):
        return _json(payload)
    return GOOD


def _json(payload: bytes) -> Worth:
    body = payload.lstrip(b"\xef\xbb\xbf \t\r\n")
    if body[:1] not in (b"{", b"[") and body[:4] != b"null":
        return Status.FAILED, Cause.NOT_THE_FORM, _first_line(payload)
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        if "truncated" in str(error):
            return Status.PARTIAL, Cause.TRUNCATED, "the JSON document ends in the middle"
        return Status.PARTIAL, Cause.NOT_THE_FORM, str(error)
    return GOOD


def _first_line(payload: bytes) -> str:
    return payload.strip().splitlines()[0][:200].decode("utf-8", "replace")
