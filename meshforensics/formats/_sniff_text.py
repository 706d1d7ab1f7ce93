"""What a text is, by its first lines: for the sniffer."""

import re
from collections.abc import Callable

HEAD = 16 * 1024
"""Characters of a text that are looked at."""

_ERRORS = re.compile(
    r"\s*(?:404 page not found|40[134]\s|403 Forbidden|401 Unauthorized|Forbidden\b|Error from server|error: |"
    r"Error: (?!\S+ \[IST)|Internal Server Error|upstream connect error|no healthy upstream|no healthy host|"
    r"invalid path\. admin commands|<!DOCTYPE html|<html|command terminated with exit code|"
    r"unable to upgrade connection|curl: \(\d+\)|exec format error|OCI runtime exec failed|"
    r"Unable to connect to the server|The connection to the server|"
    r"FieldMask .* could not be successfully applied|\S+ not found in config dump)",
    re.IGNORECASE,
)
"""What tools, servers and Envoy's admin port answer in place of the evidence (Envoy admin.rst, kubectl, Go)."""

_SAMPLE = (
    r"# (?:HELP|TYPE|UNIT|EOF)\b.*|[A-Za-z_:](?:[\w:]*\w)?(?:\{.*\})? [-+]?(?:[\d.]+(?:e[-+]?\d+)?|NaN|Inf)(?: -?\d+)?"
)
_LISTENER = r"\S+?::(?:\[[0-9a-fA-F:.]+\]|[\d.]+):\d+|\S+?::[@/]\S+"
_STAT = r"[\w|;*:\-\[\]<>@~]*[\w\]]\.[^\n]*: (?:\d+|\".*\"|No recorded values|[PB]\d.*)"


def error_text(payload: bytes) -> str:
    """The first line, where a payload is an error message in place of evidence; else empty."""
    head = payload[:600].decode("utf-8", "replace").removeprefix("\ufeff")
    if not _ERRORS.match(head):
        return ""
    return " ".join(head.strip().splitlines()[0].split())[:200]


def kind_of_text(head: str) -> str:
    """The kind of item that a text is; empty when nobody knows."""
    return next((kind for kind, test in _FORMS if test(head)), "")


def _has(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda head: compiled.search(head) is not None


def _mostly(pattern: str, share: float) -> Callable[[str], bool]:
    compiled = re.compile(pattern)

    def test(head: str) -> bool:
        lines = [line.rstrip() for line in head.split("\n")[:40] if line.strip(" \t\r#")]
        return bool(lines) and sum(1 for line in lines if compiled.fullmatch(line)) >= share * len(lines)

    return test


def _scrape(pattern: str) -> Callable[[str], bool]:
    names, samples = _has(pattern), _mostly(_SAMPLE, 0.5)
    return lambda head: samples(head) and names(head)


_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("envoy.server_info", _has(r"\Aenvoy [0-9a-f]*/\S+ (?:live|draining|pre_initializing|initializing)")),
    ("foreign.analyze", _has(r"^(?:Info|Warning|Error|Warn) \[IST\d{4}\]")),
    ("log.ztunnel", _has(r"^\S+Z\s+\w+\s+(?:access\s+conn|ztunnel[\w:]*\s|xds::client[\w:]*\s)")),
    ("log.istio-proxy", _has(
        r"^(?:\S+Z )?\[\d{4}-\d\d-\d\d[T ][\d:.]+Z?\] ?(?:\"|\[)|\tenvoy |Envoy proxy is|"
        r"\txdsproxy\t|\tcache\t|\tsds\t|"
        r"^\[\d{4}-\d\d-\d\d [\d:.]+\]\[\d+\]\[\w+\]|FLAG: --(?:proxyLogLevel|concurrency|serviceCluster)")),
    ("log.discovery", _has(r"^\d{4}-\d\d-\d\dT[\d:.]+Z[\t ]+(?:info|warn|error|debug)[\t ]")),
    ("linkerd.metrics", _scrape(r"^(?:request|response|tcp_open)_total\{.*direction=|^(?:in|out)bound_http_")),
    ("ztunnel.metrics", _scrape(
        r"^istio_build\{component=\"ztunnel\"|"
        r"^(?:# TYPE )?(?:istio_xds_connection_terminations|istio_active_proxy_count|workload_manager_)")),
    ("istiod.metrics", _scrape(r"^(?:# (?:TYPE|HELP) )?(?:pilot|citadel|galley)_")),
    ("envoy.stats_prometheus", _scrape("")),
    ("envoy.listeners", _mostly(_LISTENER, 0.8)),
    ("envoy.clusters", _mostly(r"[^\s:\[{#][^\t]*?::.+::.*|version_info::.*|\S[^\t]*::observability_name::.*", 0.8)),
    ("envoy.stats", _mostly(_STAT, 0.6)),
    ("foreign.top-pods", _has(r"\A(?:NAMESPACE +)?(?:POD|NAME) .*CPU\(cores\)")),
    ("foreign.events", _has(r"\A(?:NAMESPACE +)?(?:LAST SEEN|FIRSTSEEN|LASTSEEN) ")),
    ("foreign.secrets", _has(r"\A(?:NAMESPACE +)?NAME +TYPE +DATA +AGE")),
    ("foreign.describe-pods", _has(r"\AName:\s+\S+\r?\nNamespace:")),
    ("foreign.nodes", _has(r"\AName:\s+\S+\r?\nRoles:")),
    ("foreign.versions", _has(r"^(?:CLI version:|client version:|The following Istio control plane)")),
    ("foreign.kubectl-version", _has(r"\AClient Version: ")),
    ("kubernetes.objects", _has(r"^(?:- )?(?:apiVersion|kind): ?\S")),
    ("envoy.config_dump", _has(
        r"\A(?!controlPlane:)(?:(?:---\n)?configs:|- clusterName: |"
        r"[\s\S]*^[ -]*['\"]?@type['\"]?: ?['\"]?type\.googleapis\.com/envoy\.)")),
    ("ztunnel.config_dump", _has(r"^(?:workloadState|by_addr|stagedServices):")),
)  # fmt: skip
"""Text forms, the most specific first."""
