"""What proxies and istiod say of themselves, and how far their logs reach."""

from collections.abc import Iterable, Sequence

from meshforensics.formats import istiod_log as _istiod
from meshforensics.formats import plain_log as _plain
from meshforensics.formats import proxy_log as _proxy
from meshforensics.formats import ztunnel_log as _ztunnel
from meshforensics.formats.proxy_log import LogLine, Part
from meshforensics.tables._declare import Column, Reading, Row, Table

_COLUMNS = (
    Column("at", "datetime64[us, UTC]", about="Time of the message.", source="log"),
    Column("level", "category", about="trace, debug, info, warn, error or fatal.", source="log"),
    Column("scope", "category", about="Logger, such as ads or 'envoy config'.", source="log"),
    Column("message", "str", about="The message, with the lines that belong to it.", source="log"),
    Column("previous", "boolean", about="Of the container before its last restart.", source="item, log"),
)


def _lines(reading: Reading, lines: Sequence[LogLine]) -> Iterable[Row]:
    previous = reading.item.kind.endswith(".previous")
    for line in lines:
        yield (line.pointer, line.at, line.level, line.scope, line.message, previous or line.previous)


def _proxy_lines(reading: Reading) -> Iterable[Row]:
    return _lines(reading, reading.decoded(_proxy.decode).lines)


def _ztunnel_lines(reading: Reading) -> Iterable[Row]:
    return _lines(reading, reading.decoded(_ztunnel.decode).lines)


def _istiod_lines(reading: Reading) -> Iterable[Row]:
    return _lines(reading, reading.decoded(_istiod.decode).lines)


def _other_lines(reading: Reading) -> Iterable[Row]:
    lines = reading.decoded(_plain.decode).lines
    return ((*row, line.uptime_s) for row, line in zip(_lines(reading, lines), lines, strict=True))


proxy_log = Table(
    id="proxy_log",
    about="Messages of Envoy, pilot-agent and ztunnel, access lines of Envoy left out.",
    of="pod",
    columns=_COLUMNS,
    reads={"log.istio-proxy*": _proxy_lines, "log.ztunnel*": _ztunnel_lines},
)

istiod_log = Table(
    id="istiod_log",
    about="Messages of istiod.",
    of="pod",
    columns=_COLUMNS,
    reads={"log.discovery*": _istiod_lines},
)

other_log = Table(
    id="other_log",
    about="Messages of Linkerd's proxies, whose lines say how long they run and no time of day, of CNI plugins, and of "
    "what prepares a pod.",
    of="pod",
    columns=(
        *_COLUMNS,
        Column("uptime_s", "Float64", unit="s", about="Since the start of the process, where said.", source="log"),
    ),
    reads=dict.fromkeys(
        (
            "log.linkerd-proxy*",
            "log.linkerd-init*",
            "log.linkerd-network-validator*",
            "log.istio-init*",
            "log.istio-validation*",
            "log.install-cni*",
            "foreign.cni-log",
        ),
        _other_lines,
    ),
)


def _coverage(reading: Reading, parts: Sequence[Part], access: Sequence[bool]) -> Iterable[Row]:
    """One row for the current and one for the previous container; `access` says of each access line which."""
    kind = reading.item.kind
    for part in parts:
        lines = sum(previous == part.previous for previous in access)
        previous = part.previous or kind.endswith(".previous")
        yield (part.pointer, kind, previous, part.first_at, part.last_at, part.lines, lines)


def _proxy_coverage(reading: Reading) -> Iterable[Row]:
    log = reading.decoded(_proxy.decode)
    return _coverage(reading, log.parts, [line.pointer in log.previous_access for line in log.access])


def _ztunnel_coverage(reading: Reading) -> Iterable[Row]:
    log = reading.decoded(_ztunnel.decode)
    return _coverage(reading, log.parts, [False] * len(log.connections))


def _istiod_coverage(reading: Reading) -> Iterable[Row]:
    return _coverage(reading, reading.decoded(_istiod.decode).parts, [])


log_coverage = Table(
    id="log_coverage",
    about="How far each captured log reaches in time, for the current and the previous container.",
    of="pod",
    columns=(
        Column("kind", "category", about="Kind of the item, such as log.istio-proxy.", source="manifest"),
        Column("previous", "boolean", about="Of the container before its last restart.", source="item, log"),
        Column("first_at", "datetime64[us, UTC]", about="Earliest time that a line says.", source="log"),
        Column("last_at", "datetime64[us, UTC]", about="Latest time that a line says.", source="log"),
        Column("lines", "Int64", unit="lines", about="Whole lines.", source="log"),
        Column("access_lines", "Int64", unit="lines", about="Access lines among them.", source="log"),
    ),
    reads={
        "log.istio-proxy*": _proxy_coverage,
        "log.ztunnel*": _ztunnel_coverage,
        "log.discovery*": _istiod_coverage,
    },
)
