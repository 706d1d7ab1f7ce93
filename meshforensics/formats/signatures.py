"""What error texts of a mesh mean: fragment to family, cause, plane and first fix.

Matched in order, the most specific first; the first match gives the family. Spaces of a reason are
underscores in access logs, so both are tried. Sources: Envoy's source and admin documentation, Istio's and
ztunnel's source, BoringSSL's error strings.
"""

import re
from typing import NamedTuple

from meshforensics.model import Plane


class Signature(NamedTuple):
    """One known error text.

    `who` says whose verdict the text is: ``local`` (the proxy that logs it decided), ``peer`` (a TLS alert
    received, so the other side decided) or ``-``.
    """

    id: str
    fragment: str
    family: str
    plane: Plane
    cause: str
    fix: str
    who: str = "-"


_S, _T, _C, _E = Plane.SERVICE, Plane.STATE, Plane.CONTROL, Plane.EDGE

# fmt: off
SIGNATURES: tuple[Signature, ...] = (
    Signature("T2", r"error at depth [1-9]\d*: certificate has expired", "tls-root-expired", _T,
              "an intermediate or root certificate of the chain has ended",
              "rotate it with an overlap", "local"),
    Signature("T1", "certificate has expired", "tls-leaf-expired", _T,
              "the peer's leaf certificate has ended",
              "let its agent reach istiod, then restart it", "local"),
    Signature("T8", "SSLV3_ALERT_CERTIFICATE_EXPIRED|268436501", "tls-leaf-expired", _T,
              "the peer says that our certificate has ended", "renew our certificate", "peer"),
    Signature("T3", "certificate is not yet valid", "tls-not-yet-valid", _T,
              "a clock is behind, or the certificate is minutes old", "compare the nodes' clocks", "local"),
    Signature("T6", "verify SAN list|SAN matcher", "tls-identity", _T,
              "the peer's identity is not among those accepted",
              "compare trust domain and service account", "local"),
    Signature("T7", "cert hash and spki", "tls-pinned", _T,
              "the peer's certificate is not the pinned one", "update the pin", "local"),
    Signature("T4", "unable to get (local )?issuer certificate", "tls-unknown-root", _T,
              "the peer's chain ends in a root that is not trusted here",
              "trust both roots during a rotation", "local"),
    Signature("T5", "self[- ]signed certificate", "tls-unknown-root", _T,
              "the peer's chain brings a root that is not trusted here",
              "trust both roots during a rotation", "local"),
    Signature("T9", "TLSV1_ALERT_UNKNOWN_CA", "tls-unknown-root", _T,
              "the peer does not trust the root of our certificate",
              "trust both roots during a rotation", "peer"),
    Signature("T9b", "SSLV3_ALERT_CERTIFICATE_UNKNOWN", "tls-verify", _T,
              "the peer refused our certificate and its alert does not say why; Envoy sends it for a name it "
              "does not accept",
              "compare the peer's accepted names with ours", "peer"),
    Signature("T16", r"TLS_error.*:system[ _]library:.*Connection[ _]reset[ _]by[ _]peer",
              "tls-handshake-cut", _E,
              "the peer closed the connection in the middle of the TLS handshake",
              "look whether the server's port takes TLS at all, and whether it restarted"),
    Signature("T11", "WRONG_VERSION_NUMBER", "tls-to-plaintext", _T,
              "TLS was sent to a port that speaks plaintext",
              "look for a pod without sidecar, or a DestinationRule"),
    Signature("T12", "Secret is not supplied by SDS", "tls-no-certificate", _C,
              "no certificate was delivered to this proxy", "look at the agent and istiod"),
    Signature("T13", "PEER_DID_NOT_RETURN_A_CERTIFICATE", "tls-no-client-certificate", _T,
              "the client sent no certificate to a server that asks for one",
              "bring the client into the mesh", "local"),
    Signature("T10",
              "SSLV3_ALERT_HANDSHAKE_FAILURE|TLSV1_ALERT_PROTOCOL_VERSION|NO_SHARED_CIPHER",
              "tls-parameters", _T,
              "no common TLS version or cipher", "align minimum versions"),
    Signature("T14", r":HTTP_REQUEST\b|:http request\b", "plaintext-to-tls", _E,
              "plaintext HTTP was sent to a TLS port", "name the port's protocol"),
    Signature("T0", "CERTIFICATE_VERIFY_FAILED|certificate verify failed|268435581", "tls-verify", _T,
              "a certificate did not verify; the text does not say why",
              "compare roots, times and names", "local"),
    Signature("T18", "x509: certificate has expired or is not yet valid", "tls-leaf-expired", _C,
              "a Go client (agent, istiod, API server) refused a certificate by its time",
              "look at its validity"),
    Signature("T17", "x509: certificate signed by unknown authority", "tls-unknown-root", _C,
              "a Go client (agent, istiod, API server) does not know the root", "compare caBundle and roots"),
    Signature("X1", r"ADS:\w+: ACK ERROR|(gRPC|delta) config for \S+ rejected", "config-rejected", _C,
              "a proxy refused what istiod sent", "correct the named resource"),
    Signature("X15", "config received from XDS server, but was rejected", "config-rejected", _C,
              "a starting proxy refused its configuration", "correct the named resource"),
    Signature("X14", "config not received from XDS server", "config-not-received", _C,
              "a starting proxy got no configuration", "look at istiod and port 15012"),
    Signature("X28", "patch caused panic, so the patches did not take effect", "envoyfilter", _T,
              "an EnvoyFilter patch failed in istiod", "correct the EnvoyFilter"),
    Signature("X21",
              "(Multi root is disabled, updating|Updating) new ROOT-CA not supported",
              "root-refused", _T,
              "istiod refused a new root without overlap", "restart istiod with both roots"),
    Signature("X22", "incomplete signing CA bundle detected", "ca-incomplete", _T,
              "the cacerts Secret lacks a file", "add the missing key"),
    Signature("X18",
              "failed to sign: |failed to warm certificate|failed to generate workload certificate",
              "signing", _C,
              "a certificate request failed", "look at istiod's CA errors"),
    Signature("X19",
              "request authenticate failure|the token is not authenticated|failed to validate the JWT from",
              "signing", _C,
              "istiod did not accept the token of an agent", "look at audience, clock and TokenReview"),
    Signature("X20", "Root cert has changed, start rotating root cert", "root-changed", _T,
              "this proxy received another root", "nothing; date the rotation by it"),
    Signature("X23", "Failed to roll forward root certificate", "ca-rotation-failed", _T,
              "istiod's own root rotation failed", "look at its permissions on the Secret"),
    Signature("X27", "received message larger than max", "config-too-large", _C,
              "configuration is larger than gRPC's 4 MB limit", "scope it by Sidecar resources"),
    Signature("X30", "Envoy may have been out of memory killed", "out-of-memory", _S,
              "the agent saw Envoy killed", "compare memory with the limit"),
    Signature("X35", r"\bOOMKilled\b", "out-of-memory", _S,
              "the kernel killed a container", "look at its growth"),
    Signature("T19", "failed calling webhook", "webhook", _C,
              "the API server cannot call a webhook of the mesh", "look at istiod and the caBundle"),
    Signature("S5", "rbac_access_denied_matched_policy|RBAC: access denied", "rbac-denied", _T,
              "an authorization policy denied it",
              "correct the rule or the principal; do not delete all policies"),
    Signature("J", "jwt_authn_access_denied|Jwt (is|not|issuer|verification)|Jwks ", "jwt", _T,
              "a token was missing or refused", "read the reason"),
    Signature("R30", "ext_authz_(denied|error)", "ext-authz", _T,
              "an external authorizer refused", "look at it"),
    Signature("R19", "local_rate_limited", "rate-limited", _T,
              "a local rate limit", "look at the EnvoyFilter"),
    Signature("R20", "request_rate_limited|rate_limiter_error", "rate-limited", _E,
              "a global rate limit", "look at the rate limit service"),
    Signature("R13", "cluster_not_found", "no-cluster", _T,
              "the route names a cluster or subset that this proxy does not have",
              "compare the VirtualService's destinations with services and DestinationRule subsets"),
    Signature("R15", "route_configuration_not_found", "no-route", _C,
              "the route configuration was not delivered", "look at the push"),
    Signature("R14", "route_not_found", "no-route", _T,
              "no route for host and path", "compare hosts and gateways"),
    Signature("T15", "filter_chain_not_found", "no-filter-chain", _T,
              "no filter chain for this SNI or protocol: plaintext to STRICT, or an unknown host",
              "compare the mTLS mode and the Gateway hosts"),
    Signature("S4", "no[ _]healthy[ _]upstream", "no-healthy-upstream", _T,
              "no usable endpoint in the cluster", "look why its hosts are out"),
    Signature("R1", r"reset reason: overflow|\{overflow", "overflow", _T,
              "a connection pool limit was reached", "raise the limit or scale; find the load"),
    Signature("R9",
              "upstream request timeout|upstream_response_timeout|(?<!_)response_timeout",
              "upstream-timeout", _S,
              "the route's timeout ended the request", "look at the slow workload"),
    Signature("R10", "upstream_per_try_timeout", "upstream-timeout", _T,
              "every try timed out", "compare per-try timeout and retries"),
    Signature("R18", "fault[ _]filter[ _]abort", "fault-injected", _T,
              "an injected fault is on", "remove it"),
    Signature("R16", "direct_response", "direct-response", _T,
              "the route answers by itself", "read the route"),
    Signature("R2", "connection[ _]termination", "upstream-reset", _S,
              "the upstream closed before it answered", "compare idle timeouts; look for restarts"),
    Signature("R5", r"protocol[ _]error|http1\.codec_error", "protocol", _T,
              "the protocols do not match", "name the port"),
    Signature("R6",
              "delayed[ _]connect[ _]error|connection[ _](failure|timeout)|connect_failure",
              "connect-failure", _S,
              "the connection was refused, timed out or had no way",
              "look whether the endpoint still exists and listens"),
    Signature("R3", "remote[ _]reset|remote[ _]refused[ _]stream", "upstream-reset", _S,
              "the upstream reset the stream", "look at the application"),
)
# fmt: on

_BY_FLAG = {
    "NC": "no-cluster",
    "UH": "no-healthy-upstream",
    "UO": "overflow",
    "UT": "upstream-timeout",
    "RL": "rate-limited",
    "UAEX": "ext-authz",
    "FI": "fault-injected",
    "OM": "overload",
    "DF": "dns",
    "NR": "no-route",
    "UF": "connect-failure",
    "UC": "upstream-reset",
    "UR": "upstream-reset",
    "LR": "local-reset",
    "UPE": "protocol",
    "DPE": "protocol",
    "SI": "idle-timeout",
    "DC": "client-gone",
}

_COMPILED = tuple((re.compile(each.fragment), each) for each in SIGNATURES)
_ANY = re.compile("|".join(f"(?:{each.fragment})" for each in SIGNATURES))


def signature_of(text: str) -> Signature | None:
    """The first signature that `text` has; underscores are tried as spaces too.

    >>> signature_of("CERTIFICATE_VERIFY_FAILED:…:_unable_to_get_local_issuer_certificate").id
    'T4'
    """
    spaced = text.replace("_", " ") if "_" in text else ""
    if not _ANY.search(text) and not (spaced and _ANY.search(spaced)):
        return None
    for pattern, signature in _COMPILED:
        if pattern.search(text) or (spaced and pattern.search(spaced)):
            return signature
    return None


def family_of(flags: tuple[str, ...], details: str, failure_reason: str) -> str:
    """The family of a failed request, by the reason first and the flags after; empty when neither says.

    >>> family_of(("NC",), "cluster_not_found", "")
    'no-cluster'
    """
    for text in (failure_reason, details):
        found = signature_of(text) if text and text != "-" else None
        if found is not None:
            return found.family
    return next((family for flag, family in _BY_FLAG.items() if flag in flags), "")
