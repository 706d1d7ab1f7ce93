"""Messages of ``istioctl analyze``: its text (``Level [ISTnnnn] (Kind ns/name) message``) and its JSON."""

import re
from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError

_LEVELS = ("Error", "Warning", "Info")
_LINE = re.compile(r"(Error|Warning|Info) \[(IST\d{4})\](?: \[([^\]]*)\])?(?: \(([^()]*)\))?(?: \[([^\]]*)\])? ?(.*)")
_CLEAN = "No validation issues found"
_TAIL = re.compile(r"(Error: )?Analyzers found issues when analyzing|See https://istio\.io/")


class Message(msgspec.Struct, frozen=True):
    """One message; `origin` is where the analyzer read the object, when it was a file."""

    level: str
    code: str
    kind: str | None
    namespace: str | None
    name: str | None
    origin: str | None
    message: str
    pointer: str


def decode(payload: bytes) -> tuple[Message, ...]:
    """Every message, in order; none when the analysis found nothing.

    Raises:
        NotTheFormError: it is neither messages nor the sentence that there are none.
    """
    if payload.lstrip()[:1] == b"[":
        return _from_json(payload)
    lines = payload.decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    parts: list[list[str | int]] = []
    for number, line in enumerate(lines, start=1):
        if _LINE.match(line):
            parts.append([number, line])
        elif parts and line.strip() and not _TAIL.match(line):
            parts[-1].append(line)
    if not parts and not any(_CLEAN in line for line in lines):
        first = next((line.strip() for line in lines if line.strip()), "")
        raise NotTheFormError(f"no messages of istioctl analyze: it begins {first[:60]!r}")
    return tuple(_message(int(part[0]), [str(line) for line in part[1:]]) for part in parts)


def _message(number: int, lines: list[str]) -> Message:
    found = _LINE.match(lines[0])
    level, code, _, object_text, _, said = found.groups() if found else ("", "", "", "", "", "")
    kind, namespace, name, origin = _object(object_text or "")
    last = number + len(lines) - 1
    return Message(
        level=level,
        code=code,
        kind=kind,
        namespace=namespace,
        name=name,
        origin=origin,
        message="\n".join([said, *lines[1:]]),
        pointer=f"L{number}" if last == number else f"L{number}-L{last}",
    )


def _object(text: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Kind, namespace, name and origin of ``Kind ns/name file:line``."""
    kind, _, rest = text.strip().partition(" ")
    if not kind:
        return None, None, None, None
    full, _, origin = rest.strip().partition(" ")
    namespace, slash, name = full.rpartition("/")
    return kind, namespace if slash else None, name or None, origin.strip() or None


def _from_json(payload: bytes) -> tuple[Message, ...]:
    found = decode_json(payload, list[dict[str, Any]], what="messages of istioctl analyze")
    made = []
    for index, one in enumerate(found):
        if one.get("level") not in _LEVELS or not isinstance(one.get("code"), str):
            raise NotTheFormError(f"no messages of istioctl analyze: /{index} has no level and code")
        kind, namespace, name, _ = _object(str(one.get("origin") or ""))
        made.append(
            Message(
                level=str(one["level"]),
                code=one["code"],
                kind=kind,
                namespace=namespace,
                name=name,
                origin=str(one["reference"]) if one.get("reference") else None,
                message=str(one.get("message") or ""),
                pointer=f"/{index}",
            )
        )
    return tuple(made)
