"""The parts of a BagIt 1.0 bag (RFC 8493) around the payload."""

import hashlib
from collections.abc import Mapping

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha256.txt"
TAGS = "tagmanifest-sha256.txt"


def sums(digests: Mapping[str, str]) -> bytes:
    """A manifest of SHA-256 sums, as ``sha256sum -c`` reads it, sorted by name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def read_sums(payload: bytes) -> dict[str, str]:
    """Names to SHA-256 sums of such a manifest; lines that are none are left out."""
    lines = (line.split(maxsplit=1) for line in payload.decode("utf-8", "replace").splitlines())
    return {parts[1].lstrip("*"): parts[0].lower() for parts in lines if len(parts) == 2}


def info(*, tool: str, date: str, octets: int, files: int, mesh: str) -> bytes:
    """``bag-info.txt``; the date is that of the evidence, so that equal bundles have equal bytes."""
    one_line = " ".join(mesh.split())
    return (
        f"Bag-Software-Agent: {tool}\nBagging-Date: {date}\nPayload-Oxum: {octets}.{files}\n"
        f"External-Description: Evidence of the service mesh {one_line}\n"
    ).encode()


def digest(payload: bytes) -> str:
    """SHA-256 as lower-case hex."""
    return hashlib.sha256(payload).hexdigest()
