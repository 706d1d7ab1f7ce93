"""The page of known error texts: each with its family, cause and first fix, and what else in a bundle tells of it."""

from meshforensics.checks._beside import TELLS
from meshforensics.checks._lines import Tells
from meshforensics.formats.signatures import SIGNATURES, Signature

HEAD = """\
Every line of every captured log (access logs, Envoy, pilot-agent, istiod, ztunnel, Linkerd's proxies, CNI, what
prepares a pod) and every event of the cluster is held against these texts, the most specific first; the first that
fits gives the family. Texts are regular expressions; spaces of an access log's reason are underscores there, so both
are tried. A line of an access log that has no text is known by its response flags. The table
[signatures](tables.md#signatures) has each line with its time, plane, cause and first fix; a check reports each family
once: how many lines, from when to when, how the rate changed, the first line, and what else in the bundle tells of it.

`who` says whose verdict a text is: `local`, the proxy that logged it decided; `peer`, an alert of the other side.

What else tells is said as **confirmed** (the same event is seen elsewhere), **refuted as of the capture** (the state
that was captured is not that of the text), **over as of the capture** (it has been, and is no more), **not counted** (a
proxy that logged it since its start has every one of the counters at 0), or as a fact that decides nothing. Counters
are those of the proxies that logged the lines, and where the lines name a cluster those of that cluster; a counter
that is not on the page is not zero: Istio's `proxyStatsMatcher` leaves out most of them by default, and some are made
at their first event. They count since the proxy's start. `nothing else that was captured tells` means that none of
what is named here was in the bundle."""

SOURCES = """\
Texts: Envoy's source and documentation, BoringSSL's error strings, Istio's, ztunnel's and linkerd2-proxy's source.

Counters: Envoy's documentation (`configuration/upstream/cluster_manager/cluster_stats`,
`configuration/http/http_conn_man/stats`, `configuration/listeners/stats`, the statistics of its HTTP filters router,
fault, ext_authz, rbac, rate limit and local rate limit, `configuration/operations/overload_manager`,
`configuration/security/secret`), `source/extensions/filters/http/jwt_authn/stats.h`, and
`source/common/tls/ssl_socket.cc` for which error of TLS is counted as what: an alert of the peer is
`ssl.connection_error`, a certificate that did not verify is not. Istio's `pilot/pkg/xds/monitoring.go`,
`security/pkg/server/ca/monitoring.go` and `pkg/istio-agent/metrics`; ztunnel's `src/xds/metrics.rs`; linkerd2-proxy's
`inbound_http_authz_deny_total`, `inbound_http_errors_total` and `outbound_http_balancer_endpoints`."""

CHECKS = {
    "tls": "signatures.tls",
    "delivery": "signatures.delivery",
    "roots": "signatures.roots",
    "streams": "signatures.streams",
    "calls": "signatures.seen",
    "pods": "signatures.pods",
}


def text(note: str) -> str:
    """The page."""
    parts = ["# Known error texts", note, HEAD]
    for topic, check in CHECKS.items():
        families = sorted(family for family, tells in TELLS.items() if tells.topic == topic)
        link = f"Reported by [{check}](checks.md#{check.replace('.', '')})."
        parts += [f"## {check.partition('.')[2]}", link, _catalogue(families), _beside(families)]
    return "\n\n".join([*parts, "## Sources", SOURCES]) + "\n"


def _catalogue(families: list[str]) -> str:
    rows = [_row(each) for family in families for each in SIGNATURES if each.family == family]
    return "\n".join(["| family | id | text | plane | who | cause | first fix |\n|---|---|---|---|---|---|---|", *rows])


def _row(each: Signature) -> str:
    cells = (each.family, each.id, f"`{each.fragment}`", each.plane.value, each.who, each.cause, each.fix)
    return f"| {' | '.join(map(_cell, cells))} |"


def _beside(families: list[str]) -> str:
    rows = [f"| {family} | {_cell('; '.join(_told(TELLS[family])))} |" for family in families]
    return "\n".join(["| family | what else tells |\n|---|---|", *rows])


def _told(tells: Tells) -> list[str]:
    """What tells of a family, in words."""
    some = f" (of {', '.join(tells.only)})" if tells.only else ""
    told = {
        "counters " + _names(tells.counters) + some: tells.counters,
        "where the peer judged " + _names(tells.of_peer): tells.of_peer,
        "istiod's " + _names(tells.of_istiod): tells.of_istiod,
        f"response flag {' or '.join(tells.flags)}": tells.flags,
    }
    return [*([tells.by] if tells.by else []), *(words for words, names in told.items() if names)]


def _names(counters: tuple[str, ...]) -> str:
    return ", ".join(f"`{each}`" for each in counters)


def _cell(said: str) -> str:
    return " ".join(said.split()).replace("|", "\\|").replace("<", "&lt;")
