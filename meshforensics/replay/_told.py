"""Versions that a report lists, in the words in which what runs would have said them itself."""

import re
from typing import Any

import msgspec

from meshforensics.formats.kubernetes import mapping
from meshforensics.formats.versions import Version, decode
from meshforensics.model import MESH, NotTheFormError, pod_of
from meshforensics.replay._state import State

ISTIOD = "istiod.version"
_LISTED = "foreign.versions"
_PRINTED = "foreign.kubectl-version"
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)")
_SAID = re.compile(r'(GitRevision|BuildStatus): *"([^"]*)"')
_UNTOLD = "unknown"


def istiod_version(state: State, subject: str) -> bytes | None:
    """The ``/version`` of an istiod out of a report's list; None where the list does not say which is its own.

    ``istioctl version`` names control planes by revision, not by pod: the version is an istiod's own where all
    have the same one, or where the pod's label says which revision it is of.
    """
    if not any(kind.startswith(("istiod.", "log.discovery")) for kind in state.kinds_of(subject)):
        return None
    payload = state.read(_LISTED, MESH) or b""
    pilots = [one for one in _decoded(payload) if one.component == "pilot"]
    own = [one for one in pilots if one.revision == _revision(state, subject)]
    said = {_long(payload, one) for one in own or pilots}
    return said.pop().encode() if len(said) == 1 else None


def server_version(state: State) -> dict[str, Any] | None:
    """What the captured API server said of its version; None where nothing tells it."""
    payload = state.read("kubernetes.version", MESH)
    if payload is not None:
        try:
            return msgspec.json.decode(payload, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            return None
    told = _decoded(state.read(_PRINTED, MESH) or b"")
    said = next((one.version for one in told if one.component == "kubernetes"), "")
    found = _NUMBERS.match(said)
    return {"major": found[1], "minor": found[2], "gitVersion": said} if found else None


def _decoded(payload: bytes) -> tuple[Version, ...]:
    try:
        return decode(payload)
    except NotTheFormError:
        return ()


def _revision(state: State, subject: str) -> str:
    pod = state.pod(*(pod_of(subject) or ("", "")))
    return str(mapping(mapping(pod or {}, "metadata"), "labels").get("istio.io/rev") or "")


def _long(payload: bytes, one: Version) -> str:
    """Version, git revision and build status, joined as istiod does; what the list does not say is unknown."""
    line = payload.decode("utf-8", "replace").splitlines()[int(one.pointer[1:]) - 1]
    said = dict(_SAID.findall(line))
    return "-".join((one.version, said.get("GitRevision") or _UNTOLD, said.get("BuildStatus") or _UNTOLD))
