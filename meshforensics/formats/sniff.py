"""Say what a file is, by its content: the kind of item that its bytes are.

Cheap: of JSON only the outer keys are read, of text the first lines. Whether the whole is good is the
decoder's to say.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError, TruncatedError

_HEAD = 16 * 1024
_RAW = dict[str, msgspec.Raw]


class Sniffed(NamedTuple):
    """The kind of item, or why it is none: ``empty``, ``truncated``, ``not-the-form``."""

    kind: str
    problem: str = ""
    detail: str = ""


def sniff(payload: bytes) -> Sniffed:
    """What `payload` is; a `kind` of ``unknown`` when nobody knows."""
    body = payload.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body:
        return Sniffed("unknown", "empty", f"{len(payload)} bytes")
    if body[:1] in (b"{", b"["):
        lines = body[:_HEAD].split(b"\n", 2)
        if len(lines) > 1 and lines[0].rstrip().endswith(b"}") and lines[1].lstrip()[:1] == b"{":
            return _json_lines(lines[0])
        return _json(body)
    return _text(payload[:_HEAD].decode("utf-8", "replace"))


def _json(body: bytes) -> Sniffed:
    try:
        outer = decode_json(body, msgspec.Raw, what="JSON")
        if body[:1] == b"[":
            members = msgspec.json.decode(outer, type=list[msgspec.Raw])
            return _list(members)
        return _object(msgspec.json.decode(outer, type=_RAW))
    except TruncatedError as error:
        return Sniffed(_kind_of_cut(body), "truncated", str(error))
    except (NotTheFormError, msgspec.DecodeError) as error:
        text = body[:_HEAD].decode("utf-8", "replace")
        found = next((kind for kind, test in _TEXTS if test(text)), "unknown")
        if found == "unknown" and _KUBERNETES_JSON.search(text):
            return Sniffed("kubernetes.objects")  # several documents, one after the other
        return Sniffed(found) if found != "unknown" else Sniffed("unknown", "not-the-form", str(error))


_KUBERNETES_JSON = re.compile(r'"apiVersion"\s*:\s*"|"kind"\s*:\s*"')


def _kind_of_cut(body: bytes) -> str:
    """What a cut document began as."""
    head = body[:_HEAD]
    return next((kind for mark, kind in _CUT if mark in head), "unknown")


_CUT = (
    (b'"configs"', "envoy.config_dump"),
    (b'"certificates"', "envoy.certs"),
    (b'"apiVersion"', "kubernetes.objects"),
    (b'"cluster_statuses"', "envoy.clusters"),
)


def _json_lines(line: bytes) -> Sniffed:
    """A log of one JSON object a line."""
    if b'"response_code"' in line or b'"response_flags"' in line:
        return Sniffed("log.istio-proxy")
    if b'"scope"' in line or b'"level"' in line:
        return Sniffed("log.istio-proxy" if b"envoy" in line else "log.discovery")
    return (
        Sniffed("kubernetes.objects") if b'"apiVersion"' in line else Sniffed("unknown", "not-the-form", "JSON lines")
    )


_KEYS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), kind)
    for keys, kind in (
        ("configs", "envoy.config_dump"),
        ("workloads services", "ztunnel.config_dump"),
        ("workloads vips", "ztunnel.config_dump"),
        ("by_addr by_vip", "ztunnel.config_dump"),
        ("workloadState", "ztunnel.config_dump"),
        ("certificates", "envoy.certs"),
        ("cluster_statuses", "envoy.clusters"),
        ("clusterStatuses", "envoy.clusters"),
        ("listener_statuses", "envoy.listeners"),
        ("allocated heap_size", "envoy.memory"),
        ("version state hot_restart_version", "envoy.server_info"),
        ("version command_line_options", "envoy.server_info"),
        ("version uptime_current_epoch", "envoy.server_info"),
        ("layers entries", "envoy.runtime"),
        ("unready_targets_dumps", "envoy.init_dump"),
        ("stats", "envoy.stats"),
        ("totalClients", "istiod.adsz"),
        ("clients", "istiod.adsz"),
        ("apiVersion kind", "kubernetes.objects"),
        ("items kind", "kubernetes.objects"),
        ("status data", "prometheus.range"),
        ("trustDomain", "istiod.mesh"),
        ("defaultConfig", "istiod.mesh"),
    )
)
_MEMBERS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), kind)
    for keys, kind in (
        ("proxy cluster_sent", "istiod.syncz"),
        ("proxy cluster_id", "istiod.syncz"),
        ("proxy proxy_type", "istiod.syncz"),
        ("proxy", "istiod.syncz"),
        ("hostname Attributes", "istiod.registryz"),
        ("hostname ports", "istiod.registryz"),
        ("svc ep", "istiod.endpointz"),
        ("kind apiVersion", "kubernetes.objects"),
        ("kind metadata", "kubernetes.objects"),
        ("@type", "envoy.config_dump"),
        ("clusterName endpoints", "envoy.config_dump"),
        ("filterChains", "envoy.config_dump"),
        ("filter_chains", "envoy.config_dump"),
        ("connectTimeout name", "envoy.config_dump"),
        ("virtualHosts", "envoy.config_dump"),
    )
)


def _object(outer: _RAW) -> Sniffed:
    keys = set(outer)
    for wanted, kind in _KEYS:
        if wanted <= keys:
            return _certificates(outer) if kind == "envoy.certs" else Sniffed(kind)
    if "@type" in keys:
        return Sniffed("envoy.config_dump")
    return _nested(outer)


def _certificates(outer: _RAW) -> Sniffed:
    """/certs of Envoy, or of ztunnel, whose certificates have an identity."""
    return Sniffed("ztunnel.config_dump" if b'"identity"' in bytes(outer["certificates"])[:_HEAD] else "envoy.certs")


def _nested(outer: _RAW) -> Sniffed:
    """What lies under names: dumps per pod, endpoint shards per host."""
    first = next(iter(outer.values()), msgspec.Raw(b"null"))
    inner = bytes(first)[:_HEAD]
    if b'"Shards"' in inner:
        return Sniffed("istiod.endpointz")
    if b'"configs"' in inner or b'"@type"' in inner:
        return Sniffed("envoy.config_dump")
    if not outer:
        return Sniffed("unknown", "not-the-form", "an empty JSON object")
    return Sniffed("unknown", "not-the-form", f"JSON with the keys {', '.join(sorted(outer)[:5])}")


def _list(members: list[msgspec.Raw]) -> Sniffed:
    if not members:
        return Sniffed("unknown", "not-the-form", "an empty JSON list")
    try:
        keys = set(msgspec.json.decode(members[0], type=_RAW))
    except msgspec.DecodeError:
        return Sniffed("unknown", "not-the-form", "a JSON list without objects")
    kind = next((kind for wanted, kind in _MEMBERS if wanted <= keys), "unknown")
    if kind == "unknown":
        return Sniffed(kind, "not-the-form", f"a JSON list of objects with the keys {', '.join(sorted(keys)[:5])}")
    return Sniffed(kind)


def _searches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda text: compiled.search(text) is not None


_TEXTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("error", _searches(
        r"\A(?:404 page not found|40[13] |Error from server|error: |Internal Server Error|upstream connect error|"
        r"no healthy upstream|invalid path\. admin commands|<!DOCTYPE html|<html)")),
    ("envoy.server_info", _searches(r"\Aenvoy [0-9a-f]*/\S+ (?:live|draining)")),
    ("foreign.analyze", _searches(r"^(?:Info|Warning|Error|Warn) \[IST\d{4}\]")),
    ("log.istio-proxy", _searches(
        r"^\[\d{4}-\d\d-\d\d[T ][\d:.]+Z?\] ?(?:\"|\[)|\tenvoy |Envoy proxy is|\txdsproxy\t|\tcache\t|\tsds\t")),
    ("log.ztunnel", _searches(r"^\S+Z\s+\w+\s+(?:access|ztunnel)")),
    ("log.discovery", _searches(r"^\d{4}-\d\d-\d\dT[\d:.]+Z[\t ]+(?:info|warn|error|debug)[\t ]")),
    ("linkerd.metrics", _searches(r"^(?:request|response|tcp_open)_total\{.*direction=|^outbound_http_")),
    ("istiod.metrics", _searches(r"^(?:# (?:TYPE|HELP) )?(?:pilot|citadel|galley)_")),
    ("envoy.stats_prometheus", _searches(r"^# (?:TYPE|HELP) \w|^[a-z_]\w*(?:\{[^\n]*\})? [\d.e+-]+(?: \d+)?$")),
    ("envoy.clusters", _searches(r"^[^\s:][^\n]*?::(?:[^\n]*::)[^\n]*$")),
    ("envoy.listeners", _searches(r"^[^\s:]\S*::(?:\[[0-9a-fA-F:]+\]|[\d.]+):\d+\s*$")),
    ("envoy.stats", _searches(r"^[\w.|;\-\[\]:]+: (?:\d+|No recorded values|P0\()")),
    ("foreign.top-pods", _searches(r"\A(?:NAMESPACE +)?(?:POD|NAME) .*CPU\(cores\)")),
    ("foreign.events", _searches(r"\A(?:NAMESPACE +)?(?:LAST SEEN|FIRSTSEEN|LASTSEEN) ")),
    ("foreign.secrets", _searches(r"\A(?:NAMESPACE +)?NAME +TYPE +DATA +AGE")),
    ("foreign.describe-pods", _searches(r"\AName:\s+\S+\nNamespace:")),
    ("foreign.versions", _searches(r"^(?:CLI version:|client version:|The following Istio control plane)")),
    ("ztunnel.config_dump", _searches(r"\Acertificates:\n- certChain:")),
    ("kubernetes.objects", _searches(r"^(?:- )?(?:apiVersion|kind): ?\S|^items:")),
    ("envoy.config_dump", _searches(r"^configs:|^- ?'?\"?@type|^\s*'?\"?@type'?\"?: ?type\.googleapis\.com/envoy")),
)  # fmt: skip
"""Text forms, the most specific first."""


def _text(head: str) -> Sniffed:
    kind = next((kind for kind, test in _TEXTS if test(head)), "unknown")
    if kind == "error":
        return Sniffed("unknown", "not-the-form", " ".join(head.split())[:200])
    if kind == "unknown":
        return Sniffed(kind, "not-the-form", f"it begins {head[:40]!r}")
    return Sniffed(kind)
