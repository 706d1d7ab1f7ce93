"""Versions as tools print them: ``versions`` of a bug-report, ``kubectl version``, ``/version`` of what runs."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from meshforensics.model import NotTheFormError

_BUILD = re.compile(r'version\.BuildInfo\{Version:"([^"]*)"')
_INFO = re.compile(r'GitVersion:"([^"]*)"')
_COMPONENT = re.compile(r'Component: *"([^"]*)"')
_REVISION = re.compile(r'\bRevision: *"([^"]*)"')
_HEADING = re.compile(r"Revision ([^:]*):(?: Versions \{([^}]*)\})?")
_KUBECTL = re.compile(r"(Client|Kustomize|Server) Version: *(.*)")
_ISTIOD = re.compile(r"(?P<version>\S+?)-(?:[0-9a-f]{7,64}(?:-dirty)?|unknown)-(?:Clean|Modified|unknown)\s*")
_NAMES = {"Client": "kubectl", "Kustomize": "kustomize", "Server": "kubernetes"}


class Version(NamedTuple):
    """The version of one component; `revision` is empty where it has none."""

    component: str
    version: str
    revision: str
    pointer: str


def decode(payload: bytes) -> tuple[Version, ...]:
    """Every version said, in order: istioctl, pilot and proxy by revision; kubectl and kubernetes.

    Raises:
        NotTheFormError: no line of it says a version.
    """
    lines = payload.decode("utf-8", "replace").splitlines()
    made = tuple(_versions(lines))
    if not made:
        first = next((line.strip() for line in lines if line.strip()), "")
        raise NotTheFormError(f"no versions: it begins {first[:60]!r}")
    return made


def decode_istiod(payload: bytes) -> Version:
    """The version that istiod's ``/version`` says: version, git revision and build status, joined by dashes.

    >>> decode_istiod(b"1.31.0-3e85a4f1d2c6b7a8-Clean").version
    '1.31.0'

    Raises:
        NotTheFormError: it says none.
    """
    found = _ISTIOD.fullmatch(payload.decode("utf-8", "replace").strip())
    if not found:
        raise NotTheFormError(f"no version of istiod: it begins {payload[:60]!r}")
    return Version("pilot", found["version"], "", "L1")


class _Info(msgspec.Struct, rename="camel"):
    git_version: str


def decode_kubernetes(payload: bytes) -> Version:
    """The version that the API server's ``/version`` says.

    Raises:
        NotTheFormError: it says none.
    """
    try:
        return Version("kubernetes", msgspec.json.decode(payload, type=_Info).git_version, "", "/gitVersion")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotTheFormError(f"no version of Kubernetes: {error}") from error


def _versions(lines: list[str]) -> Iterator[Version]:
    component, revision = "istioctl", ""
    for number, line in enumerate(lines, start=1):
        pointer = f"L{number}"
        kubectl = _KUBECTL.match(line)
        if kubectl:
            found = _INFO.search(kubectl[2])
            yield Version(_NAMES[kubectl[1]], found[1] if found else kubectl[2].strip(), "", pointer)
            continue
        heading = _HEADING.match(line)
        if heading:
            revision = heading[1].strip()
            texts = (heading[2] or "").split(",")
            yield from (Version("proxy", one.strip(), revision, pointer) for one in texts if one.strip())
        component = _first(_COMPONENT, line) or component
        revision = _first(_REVISION, line) or revision
        build = _BUILD.search(line)
        if build:
            yield Version(component, build[1], revision if component != "istioctl" else "", pointer)


def _first(pattern: re.Pattern[str], line: str) -> str:
    found = pattern.search(line)
    return found[1] if found else ""
