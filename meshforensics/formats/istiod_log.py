"""The log of istiod (discovery): its messages, rejections by proxies (NACKs) and pushes.

Source: Istio pilot/pkg/xds/ads.go, delta.go; a NACK's text may run over many lines.
"""

import re
from collections.abc import Iterator

import msgspec

from meshforensics.formats._log import Log, Part
from meshforensics.formats._log_line import LogLine
from meshforensics.formats._rejected import refused_resources
from meshforensics.formats.xds_type import short_type

__all__ = ["IstiodLog", "LogLine", "Nack", "Part", "Push", "decode", "proxy_of"]

_NACK = re.compile(r"ADS:([\w./]+): ACK ERROR (.*)\Z", re.DOTALL)
_NODE = re.compile(r"(?:\S+:\d+ )?(\S+?)-(\d+) (?:\(\S+\) )?(.*)\Z", re.DOTALL)
_CODE = re.compile(r"([A-Za-z]+|\d+):(.*)\Z", re.DOTALL)
_PUSH = re.compile(r"([A-Z]+): (PUSH|PUSH request|PUSH INC)( request)? for node:(\S+) resources:(\d+) size:(\S+)")
_ERROR_DETAIL = re.compile(r'error_detail:<(?:code:\d+ )?message:"((?:[^"\\]|\\.)*)"')


class Nack(msgspec.Struct, frozen=True):
    """One resource that a proxy refused, as istiod was told.

    Attributes:
        type: ``lds``, ``cds``, …
        proxy: ``namespace/pod``; None where the connection id has another form.
        connection: the connection id.
        code: of gRPC, as printed (``Internal``); None in old versions.
    """

    type: str
    proxy: str | None
    connection: str
    code: str | None
    resource_name: str | None
    message: str
    at: str | None
    pointer: str
    previous: bool = False


class Push(msgspec.Struct, frozen=True, gc=False):
    """One push of resources to one proxy; `asked` when the proxy had asked for it."""

    type: str
    proxy: str | None
    asked: bool
    resources: int
    size: str
    at: str | None
    pointer: str


class IstiodLog(msgspec.Struct, frozen=True):
    """What one log says; `parts` tells how far it reaches."""

    lines: tuple[LogLine, ...]
    nacks: tuple[Nack, ...]
    pushes: tuple[Push, ...]
    parts: tuple[Part, ...]


def decode(payload: bytes) -> IstiodLog:
    """Read the log of istiod, to its last whole line.

    Raises:
        NotTheFormError: it is empty, or no line of it is a log line.
    """
    log = Log(payload, what="the log of istiod")
    return IstiodLog(
        lines=tuple(log.lines),
        nacks=tuple(nack for line in log.lines for nack in _nacks(line)),
        pushes=tuple(push for line in log.lines for push in _pushes(line)),
        parts=tuple(log.parts),
    )


def proxy_of(node: str) -> str | None:
    """``namespace/pod`` of a proxy as istiod names it; a pod's name may hold dots, a namespace's cannot.

    >>> proxy_of("web-1.shop"), proxy_of("sidecar~10.0.0.1~web.v1-0.shop~shop.svc.cluster.local")
    ('shop/web-1', 'shop/web.v1-0')
    """
    parts = node.split("~")
    pod, dot, namespace = (parts[2] if len(parts) == 4 else node).rpartition(".")
    return f"{namespace}/{pod}" if dot and pod and namespace else None


def _nacks(line: LogLine) -> Iterator[Nack]:
    if "ACK ERROR" not in line.message:
        return
    found = _NACK.match(line.message)
    node = _NODE.match(found.group(2)) if found else None
    if found is None or node is None:
        return
    code, details = _code_and_details(node.group(3))
    for name, message in refused_resources(details):
        yield Nack(
            type=short_type(found.group(1)),
            proxy=proxy_of(node.group(1)),
            connection=f"{node.group(1)}-{node.group(2)}",
            code=code,
            resource_name=name,
            message=message,
            at=line.at,
            pointer=line.pointer,
            previous=line.previous,
        )


def _code_and_details(text: str) -> tuple[str | None, str]:
    old = _ERROR_DETAIL.search(text)
    if old:
        return None, old.group(1).replace('\\"', '"').replace("\\n", "\n")
    found = _CODE.match(text)
    return (found.group(1), found.group(2)) if found else (None, text)


def _pushes(line: LogLine) -> Iterator[Push]:
    if "PUSH" not in line.message:
        return
    found = _PUSH.match(line.message)
    if found is None:
        return
    kind, verb, _, node, resources, size = found.groups()
    count = int(resources) if len(resources) < 10 else 0
    asked = verb == "PUSH request" or bool(found.group(3))
    yield Push(kind.lower(), proxy_of(node), asked, count, size, line.at, line.pointer)
