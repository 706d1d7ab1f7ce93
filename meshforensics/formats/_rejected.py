"""Configuration that a proxy refused (NACK), taken out of the texts that tell of it.

Sources: Envoy grpc_subscription_impl.cc, lds_api.cc (one line for each listener), cds_api_helper.cc
(clusters joined by commas); Istio pilot/pkg/xds/ads.go and delta.go.
"""

import re
from collections.abc import Iterator

import msgspec

from meshforensics.formats._log_line import LogLine
from meshforensics.formats.xds_type import short_type

_CONFIG = re.compile(
    r"(?:(?:gRPC|[Dd]elta) config for (\S+)|Filesystem config) (?:update )?rejected: (.*)\Z", re.DOTALL
)
_RESOURCES = re.compile(r"Error adding/updating (listener|cluster)(?:\(s\)|s)? (.*)\Z", re.DOTALL)
_LISTENER = re.compile(r"(?:virtual(?:In|Out)bound|\S+_\d+|main_internal|(?:inner_)?connect_\w+): ")
_CLUSTER = re.compile(r"(?:^|, )((?:in|out)bound(?:-vip)?\|[^:]*): ")


class Rejected(msgspec.Struct, frozen=True):
    """One refused resource, or one refused update whose resource the text does not name.

    Attributes:
        type: ``lds``, ``cds``, …; empty where the text does not say.
        resource_name: of the resource that was refused.
        message: why, without the words before it that all rejections share.
    """

    type: str
    resource_name: str | None
    message: str
    at: str | None
    pointer: str
    previous: bool = False


def rejected_in(line: LogLine) -> Iterator[Rejected]:
    """The rejections that a message of a proxy tells of; none for other messages."""
    if "rejected: " not in line.message:
        return
    found = _CONFIG.match(line.message)
    if found is None:
        return
    kind = short_type(found.group(1) or "")
    for name, message in refused_resources(found.group(2)):
        yield Rejected(kind, name, message, line.at, line.pointer, line.previous)


def refused_resources(details: str) -> Iterator[tuple[str | None, str]]:
    r"""Name and reason of each resource in the details of a NACK; the name is None where it is not said.

    >>> list(refused_resources("Error adding/updating listener(s) virtualInbound: bad\n0.0.0.0_80: worse\n"))
    [('virtualInbound', 'bad'), ('0.0.0.0_80', 'worse')]
    """
    found = _RESOURCES.match(details.strip())
    if found is None:
        yield None, details.strip()
        return
    what, text = found.groups()
    for part in _listeners(text) if what == "listener" else _clusters(text):
        name, colon, message = part.partition(": ")
        yield (name.strip(), message.strip()) if colon else (None, part.strip())


def _listeners(text: str) -> Iterator[str]:
    part: list[str] = []
    for line in text.split("\n"):
        if part and _LISTENER.match(line):
            yield "\n".join(part)
            part = []
        part.append(line)
    yield "\n".join(part)


def _clusters(text: str) -> Iterator[str]:
    starts = [found.start(1) for found in _CLUSTER.finditer(text)] or [0]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text[start:end].removesuffix(", ")
