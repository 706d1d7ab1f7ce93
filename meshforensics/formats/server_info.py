"""Envoy's ``/server_info``: version, state, uptime and node, as JSON, or as text before Envoy 1.9."""

import re
from typing import Any, NamedTuple

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError

_OLD = re.compile(
    rb"envoy (?P<version>[0-9a-f]*/\S+) (?P<state>live|draining)\s+(?P<current>\d+)\s+(?P<all>\d+)\s+(?P<epoch>\d+)"
)
_SEMVER = re.compile(r"^\d+\.\d+\.\d+")


class ServerInfo(NamedTuple):
    """``/server_info``. `node` is the bootstrap's node as JSON objects; empty where it was not told."""

    version: str
    state: str
    uptime_s: float | None
    concurrency: int | None
    node: dict[str, Any]

    @property
    def build(self) -> str:
        """Envoy's release: ``1.40.0`` of ``<sha>/1.40.0/Clean/RELEASE/BoringSSL``."""
        return next((part for part in self.version.split("/") if _SEMVER.match(part)), "")


def decode(payload: bytes) -> ServerInfo:
    """Decode ``/server_info``.

    Raises:
        NotTheFormError: the bytes are no such answer.
        TruncatedError: they end in the middle of one.
    """
    old = _OLD.match(payload.strip())
    if old:
        return ServerInfo(old["version"].decode(), old["state"].decode().upper(), float(old["current"]), None, {})
    raw = decode_json(payload, dict[str, Any], what="Envoy's /server_info")
    version, state = raw.get("version"), raw.get("state")
    if not isinstance(version, str):
        raise NotTheFormError("not Envoy's /server_info: it has no field `version`")
    options = raw.get("command_line_options") or raw.get("commandLineOptions") or {}
    concurrency = options.get("concurrency") if isinstance(options, dict) else None
    node = raw.get("node") or {}
    return ServerInfo(
        version=version,
        state=state if isinstance(state, str) else "LIVE",
        uptime_s=seconds(raw.get("uptime_current_epoch") or raw.get("uptimeCurrentEpoch")),
        concurrency=concurrency if isinstance(concurrency, int) else None,
        node=node if isinstance(node, dict) else {},
    )


def seconds(duration: object) -> float | None:
    """A protobuf JSON duration (``"43s"``, ``"0.250s"``) in seconds."""
    if not isinstance(duration, str) or not duration.endswith("s"):
        return None
    try:
        return float(duration[:-1])
    except ValueError:
        return None
