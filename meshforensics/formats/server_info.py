"""Envoy's ``/server_info``: version, state, uptime and node, as JSON, or as text before Envoy 1.9."""

import re

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._text_lines import shown
from meshforensics.formats._xds_bootstrap import read_bootstrap
from meshforensics.formats._xds_dump import Bootstrap
from meshforensics.formats._xds_message import Message
from meshforensics.model import NotTheFormError

_WHAT = "an answer of /server_info"
_TEXT = re.compile(
    r"envoy (?P<version>[0-9a-f]+/\S+) (?P<state>live|draining|initializing|pre.?initializing)"
    r" +(?P<uptime>\d{1,12}) +\d{1,12} +\d{1,12}\Z"
)
_RELEASE = re.compile(r"\d+\.\d+\.\d+(?:-[\w.]+)?\Z")


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `node` is who the proxy says it is; None in the text form, which does not tell."""

    version: str
    state: str
    uptime_s: float | None
    concurrency: int | None
    node: Bootstrap | None

    @property
    def build(self) -> str | None:
        """Envoy's release: ``1.40.0`` of ``<sha>/1.40.0/Clean/RELEASE/BoringSSL``."""
        return next((part for part in self.version.split("/") if _RELEASE.match(part)), None)


def decode(payload: bytes) -> ServerInfo:
    """What an answer of ``/server_info`` says.

    Raises:
        TruncatedError: JSON that ends in the middle.
        NotTheFormError: it is something else.
    """
    body = payload.removeprefix(b"\xef\xbb\xbf").strip()
    if body and body[:1] not in (b"{", b"["):
        return _of_text(body.decode("utf-8", "replace"))
    document = decode_json(payload, what=_WHAT)
    if not isinstance(document, dict):
        raise NotTheFormError(f"not {_WHAT}: JSON that is no object")
    return _of_json(Message(document, ""))


def _of_text(text: str) -> ServerInfo:
    found = _TEXT.match(text)
    if not found:
        raise NotTheFormError(f"not {_WHAT}: text that begins {shown(text)}")
    return ServerInfo(
        version=found["version"],
        state=found["state"].upper(),
        uptime_s=float(found["uptime"]),
        concurrency=None,
        node=None,
    )


def _of_json(said: Message) -> ServerInfo:
    version = said.text("version")
    if version is None:
        raise NotTheFormError(f"not {_WHAT}: JSON without a version")
    return ServerInfo(
        version=version,
        state=said.text("state") or "LIVE",
        uptime_s=said.seconds("uptime_current_epoch"),
        concurrency=said.message("command_line_options").whole("concurrency"),
        node=read_bootstrap(Message({"bootstrap": {"node": said.message("node").value}}, "")),
    )
