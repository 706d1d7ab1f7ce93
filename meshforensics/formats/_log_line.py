"""Lines that Istio's and Envoy's own loggers write, in every form that is found in captured logs.

Sources: Istio pkg/log (tab-separated text and JSON), Envoy ``--log-format`` (upstream default and the one
that pilot-agent sets); pasted logs have spaces where the tabs were.
"""

import re
from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._text_lines import instant
from meshforensics.model import NotTheFormError

_INSTANT = r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)"
_LEVEL = r"(trace|debug|info|warn|warning|error|err|critical|fatal|off)"
_ISTIO = re.compile(rf"{_INSTANT}[ \t]+{_LEVEL}\b[ \t]?(.*)\Z", re.ASCII | re.DOTALL)
_UPSTREAM = re.compile(rf"\[{_INSTANT}\]\[\d+\]\[{_LEVEL}\]\[([\w.]+)\] (.*)\Z", re.ASCII | re.DOTALL)
_KUBECTL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d) (?=[\[{\d])", re.ASCII)
_PLAIN_INSTANT = re.compile(rf"{_INSTANT}\Z", re.ASCII)
_FILE = re.compile(r"\[?((?:[\w.+-]+/)+[\w.+-]+\.(?:cc|h|go|rs):\d+)\][ \t]+", re.ASCII)
_ENVOY = re.compile(r"[ \t]*envoy ([\w.]+)(?:[ \t]([^\s\[]+:\d+))?[ \t]+", re.ASCII)
_SPACED_SCOPE = re.compile(r"[ \t]*([A-Za-z][\w.\-/]{0,39})[ \t]{2,}(?=\S)", re.ASCII)
_SCOPE = re.compile(r"[A-Za-z][\w.\-/:]{0,39}\Z", re.ASCII)
_THREAD = re.compile(r"\s*\tthread=\d+\Z", re.ASCII)
_ENVELOPE = {"level", "time", "scope", "msg", "message", "thread", "caller", "ts", "timestamp", "target", "fields"}
_SHORT = {"warning": "warn", "err": "error", "critical": "fatal"}


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One message of a log, which may run over several lines.

    Attributes:
        at: None where the line has no time of its own.
        level: ``trace, debug, info, warn, error, fatal``, or None.
        scope: of the logger, such as ``ads`` or ``envoy config``.
        message: without the time, level, scope, source file and thread.
        previous: whether it is of the container before its last restart.
        uptime_s: since the start of the process, where the line says that.
    """

    at: str | None
    level: str | None
    scope: str | None
    message: str
    pointer: str
    previous: bool = False
    uptime_s: float | None = None


def without_prefix(line: str) -> str:
    """The line without the time that ``kubectl logs --timestamps`` puts before another one."""
    found = _KUBECTL.match(line) if line[:2] == "20" else None
    return line[found.end() :] if found else line


def log_line(line: str, pointer: str, *, previous: bool = False) -> LogLine | None:
    """The message that begins with `line`; None when no message begins there."""
    if line[:1] == "[":
        found = _UPSTREAM.match(line)
        if found is None:
            return None
        at, level, scope, rest = found.groups()
        message = _without_file(rest)
        return LogLine(instant(at), _SHORT.get(level, level), f"envoy {scope}", message, pointer, previous)
    if not line[:1].isdigit():
        return None
    found = _ISTIO.match(line)
    if found is None:
        return None
    at, level, rest = found.groups()
    scope, message = _scope(rest)
    return LogLine(instant(at), _SHORT.get(level, level), scope, message, pointer, previous)


def log_keys(line: str) -> dict[str, Any] | None:
    """The object that a line of JSON is; None when it is none."""
    try:
        return decode_json(line.encode("utf-8", "replace"), dict[str, Any], what="a line of JSON")
    except NotTheFormError:
        return None


def log_object(said: dict[str, Any], pointer: str, *, previous: bool = False) -> LogLine | None:
    """The message that an object of a JSON log is; None when it has no level and no message."""
    message = next((said[key] for key in ("msg", "message") if isinstance(said.get(key), str)), None)
    level = said.get("level")
    if message is None or not isinstance(level, str):
        return None
    more = [f"{key}={value}" for key, value in said.items() if key not in _ENVELOPE]
    scope = next((said[key] for key in ("scope", "target") if isinstance(said.get(key), str)), None)
    level = level.lower()
    return LogLine(
        next((instant(said[key]) for key in ("time", "timestamp", "ts") if _is_instant(said.get(key))), None),
        _SHORT.get(level, level),
        scope,
        "\t".join([message, *more]),
        pointer,
        previous,
    )


def continued(first: LogLine, more: list[str], pointer: str) -> LogLine:
    """A message with the lines that follow its first; empty lines at the end and the thread are left off."""
    text = "\n".join([first.message, *more]).rstrip("\n")
    return msgspec.structs.replace(first, message=_THREAD.sub("", text), pointer=pointer)


def _is_instant(value: object) -> bool:
    return isinstance(value, str) and _PLAIN_INSTANT.match(value) is not None


def _scope(rest: str) -> tuple[str | None, str]:
    """Scope and message; where tabs divide, the first of at least two short fields is the scope."""
    envoy = _ENVOY.match(rest)
    if envoy:
        return f"envoy {envoy.group(1)}", _without_thread(_without_file(rest[envoy.end() :]))
    first, tab, message = rest.partition("\t")
    if tab:
        return (first, message) if _SCOPE.match(first) else (None, rest.lstrip("\t"))
    spaced = _SPACED_SCOPE.match(rest)
    return (spaced.group(1), rest[spaced.end() :]) if spaced else (None, rest.strip())


def _without_file(text: str) -> str:
    found = _FILE.match(text)
    return text[found.end() :] if found else text


def _without_thread(text: str) -> str:
    return _THREAD.sub("", text) if "thread=" in text else text
