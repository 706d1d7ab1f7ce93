"""Say what a file is, by its content first and its name second: the kind of item that its bytes are.

Cheap: of JSON only the outer keys are read (and that it is whole), of text the first lines. Whether all of it
is good is the decoder's to say.
"""

import re
from typing import NamedTuple

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.formats._sniff_text import HEAD, error_text, kind_of_text
from meshforensics.model import NotTheFormError, TruncatedError

__all__ = ["Sniffed", "error_text", "kind_of_name", "sniff"]

_RAW = dict[str, msgspec.Raw]
_NODE_SPAN = 4 * 1024 * 1024
_NODE_ID = re.compile(
    rb"\bid[\"']?\s*:\s*[\"']?(?:sidecar|router|waypoint|ztunnel|ingress|agentgateway)~[^~\s\"']*~"
    rb"(?P<pod>[^~\s\"']+)\.(?P<namespace>[^~.\s\"']+)~"
)
_OF_A_PROXY = {"envoy.config_dump", "envoy.server_info"}


class Sniffed(NamedTuple):
    """What a file is.

    Attributes:
        kind: kind of item; ``unknown`` when nobody knows.
        problem: why it cannot be used: ``empty``, ``truncated``, ``not-the-form``; empty when nothing is wrong.
        detail: one line on the problem.
        subject: ``namespace/pod`` of the node id inside; None when there is none.
    """

    kind: str
    problem: str = ""
    detail: str = ""
    subject: str | None = None


def sniff(payload: bytes, name: str = "") -> Sniffed:
    """What `payload` is; where its content does not tell, what a file called `name` should have been.

    >>> sniff(b'{"configs": []}').kind
    'envoy.config_dump'
    >>> sniff(b"404 page not found", "certs").problem
    'not-the-form'
    """
    found = _content(payload)
    hinted = kind_of_name(name)
    if found.kind == "unknown" and hinted:
        plain = found.problem == "not-the-form" and not error_text(payload) and _may_be(hinted, payload)
        found = Sniffed(hinted) if plain else found._replace(kind=hinted)
    elif (found.kind, hinted) == ("kubernetes.objects", "istiod.configz") or (
        found.kind.startswith("log.") and hinted in _LOG_NAMES
    ):
        found = found._replace(kind=hinted)
    return found._replace(subject=_subject(payload) if found.kind in _OF_A_PROXY else None)


def _subject(payload: bytes) -> str | None:
    """``namespace/pod`` of the node id ``type~ip~pod.namespace~domain`` of a proxy's own answer."""
    found = _NODE_ID.search(payload[:_NODE_SPAN]) or _NODE_ID.search(payload[-_NODE_SPAN:])
    if found is None:
        return None
    return f"{found['namespace'].decode('utf-8', 'replace')}/{found['pod'].decode('utf-8', 'replace')}"


def _content(payload: bytes) -> Sniffed:
    body = payload.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not body:
        return Sniffed("unknown", "empty", f"{len(payload)} bytes")
    if b"\0" in body[:HEAD]:
        return Sniffed("unknown", "not-the-form", f"binary, it begins {body[:8].hex()}")
    if body[:1] == b"{" or (body[:1] == b"[" and not body[1:2].isdigit()):
        lines = body[:HEAD].split(b"\n", 2)
        if len(lines) > 1 and lines[0].rstrip().endswith(b"}") and lines[1].lstrip()[:1] == b"{":
            return _json_lines(lines[0])
        return _json(body)
    return _text(payload)


def _text(payload: bytes) -> Sniffed:
    said = error_text(payload)
    if said:
        return Sniffed("unknown", "not-the-form", said)
    head = payload[:HEAD].decode("utf-8", "replace").removeprefix("\ufeff")
    kind = kind_of_text(head if len(payload) <= HEAD else head.rpartition("\n")[0])
    return Sniffed(kind) if kind else Sniffed("unknown", "not-the-form", f"it begins {head.lstrip()[:40]!r}")


def _json(body: bytes) -> Sniffed:
    try:
        if body[:1] == b"[":
            return _list(decode_json(body, list[msgspec.Raw], what="JSON"))
        return _object(decode_json(body, _RAW, what="JSON"))
    except TruncatedError as error:
        return Sniffed(_kind_of_cut(body), "truncated", str(error))
    except NotTheFormError as error:
        return _no_json(body, str(error))


def _no_json(body: bytes, why: str) -> Sniffed:
    """Several documents, one after the other; a log whose first line is JSON; or nothing."""
    head = body[:HEAD].decode("utf-8", "replace")
    if re.search(r'^ {0,4}"(?:apiVersion|kind)"\s*:\s*"', head, re.MULTILINE) and "trailing characters" in why:
        return Sniffed("kubernetes.objects")
    kind = kind_of_text(head)
    return Sniffed(kind) if kind.startswith("log.") else Sniffed("unknown", "not-the-form", why)


_CUT_MARKS = (
    (b'"cluster_statuses"', "envoy.clusters"),
    (b'"configs"', "envoy.config_dump"),
    (b'"workloads"', "ztunnel.config_dump"),
    (b'"certificates"', "envoy.certs"),
    (b'"command_line_options"', "envoy.server_info"),
    (b'"hot_restart_version"', "envoy.server_info"),
    (b'"cluster_sent"', "istiod.syncz"),
    (b'"totalClients"', "istiod.adsz"),
    (b'"apiVersion"', "kubernetes.objects"),
    (b'"@type"', "envoy.config_dump"),
)


def _kind_of_cut(body: bytes) -> str:
    """What a cut document began as."""
    head = body[:HEAD]
    return next((kind for mark, kind in _CUT_MARKS if mark in head), "unknown")


def _json_lines(line: bytes) -> Sniffed:
    """A log, or objects, one JSON document a line."""
    if b'"response_code"' in line or b'"response_flags"' in line:
        return Sniffed("log.istio-proxy")
    if b'"level"' in line and (b'"time"' in line or b'"scope"' in line or b'"msg"' in line):
        return Sniffed("log.istio-proxy" if b"envoy" in line else "log.discovery")
    if b'"apiVersion"' in line:
        return Sniffed("kubernetes.objects")
    return Sniffed("unknown", "not-the-form", "JSON documents, one a line, of no known form")


_KEYS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), kind)
    for keys, kind in (
        ("configs", "envoy.config_dump"),
        ("ecdsFilters", "envoy.config_dump"),
        ("bootstrap", "envoy.config_dump"),
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
        ("trustDomain rootNamespace", "istiod.mesh"),
        ("trustDomain defaultConfig", "istiod.mesh"),
        ("defaultConfig proxyListenPort", "istiod.mesh"),
        ("clientVersion", "foreign.kubectl-version"),
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
        ("hostStatuses name", "envoy.clusters"),
        ("host_statuses name", "envoy.clusters"),
        ("@type", "envoy.config_dump"),
        ("clusterName endpoints", "envoy.config_dump"),
        ("cluster_name endpoints", "envoy.config_dump"),
        ("filterChains", "envoy.config_dump"),
        ("filter_chains", "envoy.config_dump"),
        ("connectTimeout name", "envoy.config_dump"),
        ("virtualHosts", "envoy.config_dump"),
    )
)


def _object(outer: _RAW) -> Sniffed:
    kind = next((kind for wanted, kind in _KEYS if wanted <= outer.keys()), "")
    if kind == "envoy.certs":  # ztunnel's certificates have an identity, Envoy's have none
        return Sniffed("ztunnel.config_dump" if b'"identity"' in _head(outer["certificates"]) else kind)
    if kind == "ztunnel.config_dump" and "workloads" in outer and _is_kmesh(_head(outer["workloads"])):
        return Sniffed("unknown", "not-the-form", "a dump of Kmesh, which is not ztunnel")
    if kind == "prometheus.range" and b'"resultType"' not in _head(outer["data"]):
        kind = ""
    if kind or "@type" in outer:
        return Sniffed(kind or "envoy.config_dump")
    return _nested(outer)


def _head(raw: msgspec.Raw) -> bytes:
    return bytes(memoryview(raw)[:HEAD])


def _is_kmesh(workloads: bytes) -> bool:
    """Kmesh lists the addresses of a workload; ztunnel calls them workloadIps."""
    return b'"addresses"' in workloads and b'"workloadIps"' not in workloads


def _nested(outer: _RAW) -> Sniffed:
    """What lies under names: dumps per gateway, endpoint shards per host."""
    if not outer:
        return Sniffed("unknown", "not-the-form", "an empty JSON object")
    inner = _head(next(iter(outer.values())))
    if b'"Shards"' in inner:
        return Sniffed("istiod.endpointz")
    if b'"configs"' in inner or re.search(rb'"@type": ?"type\.googleapis\.com/envoy\.admin', inner):
        return Sniffed("envoy.config_dump")
    if all(key.startswith(("pilot_", "endpoint_")) for key in outer):
        return Sniffed("istiod.push_status")
    return Sniffed("unknown", "not-the-form", f"JSON with the keys {', '.join(sorted(outer)[:5])}")


def _list(members: list[msgspec.Raw]) -> Sniffed:
    if not members:
        return Sniffed("unknown", "not-the-form", "an empty JSON list")
    try:
        keys = msgspec.json.decode(members[0], type=_RAW).keys()
    except msgspec.DecodeError:
        return Sniffed("unknown", "not-the-form", "a JSON list without objects")
    kind = next((kind for wanted, kind in _MEMBERS if wanted <= keys), "unknown")
    if kind == "unknown":
        return Sniffed(kind, "not-the-form", f"a JSON list of objects with the keys {', '.join(sorted(keys)[:5])}")
    return Sniffed(kind)


_NAMES = {
    "config_dump": "envoy.config_dump", "certs": "envoy.certs", "clusters": "envoy.clusters",
    "listeners": "envoy.listeners", "memory": "envoy.memory", "server_info": "envoy.server_info",
    "runtime": "envoy.runtime", "init_dump": "envoy.init_dump", "stats": "envoy.stats",
    "prometheus": "envoy.stats_prometheus", "stats_prometheus": "envoy.stats_prometheus",
    "proxy_stats": "envoy.stats", "config_dump_proxy": "envoy.config_dump", "syncz": "istiod.syncz",
    "debug-syncz": "istiod.syncz", "adsz": "istiod.adsz", "configz": "istiod.configz",
    "registryz": "istiod.registryz", "endpointz": "istiod.endpointz", "endpointShardz": "istiod.endpointz",
    "push_status": "istiod.push_status",
}  # fmt: skip
_LOGS = {
    "discovery": "log.discovery", "istiod": "log.discovery", "ztunnel": "log.ztunnel", "cni": "foreign.cni-log",
    "bug-report": "foreign.bug-report-log",
}  # fmt: skip


_LOG_NAMES = {"log.istio-proxy", *_LOGS.values()}
"""Logs whose name says more than their lines, which look alike."""


def kind_of_name(name: str) -> str:
    """What a file of this name should be; empty when the name says nothing.

    >>> kind_of_name("shop/web-1/config_dump?include_eds")
    'envoy.config_dump'
    >>> kind_of_name("logs/istio-proxy.log")
    'log.istio-proxy'
    """
    last = name.rpartition("/")[2]
    stem, _, ending = last.partition("?")[0].rpartition(".")
    if ending == "log" and stem:
        return _LOGS.get(stem, f"log.{re.sub(r'[^A-Za-z0-9_.-]+', '-', stem)}")
    whole = last.partition("?")[0]
    return _NAMES.get(whole) or (_NAMES.get(stem, "") if ending in {"json", "txt", "yaml", "yml", "prom"} else "")


def _may_be(kind: str, payload: bytes) -> bool:
    """Whether text that nobody knows may yet be what its name says: any text is a log; ``{}`` is a clean status."""
    if kind.startswith("log.") or kind.endswith("-log"):
        return b"\0" not in payload[:HEAD]
    return kind.startswith("istiod.") and payload.strip() in {b"{}", b"[]", b"null"}
