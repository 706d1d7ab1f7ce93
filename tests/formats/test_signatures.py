"""Error texts of a mesh: the family that each means, and what means none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.signatures import SIGNATURES, family_of, shown, signature_of, signature_of_flags

# Lines as Envoy, BoringSSL, istiod and the agent print them; the source of each is in signatures.md of the project.
TEXTS = [
    (
        "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:unable_to_get_local_issuer_certificate",
        "T4",
    ),
    ("TLS_error:|268436501:SSL_routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_EXPIRED:TLS_error_end", "T8"),
    ("verify cert failed: X509_verify_cert: certificate verification error at depth 0: certificate has expired", "T1"),
    ("X509_verify_cert: certificate verification error at depth 1: certificate has expired", "T2"),
    ("TLS error: 268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: SAN matcher", "T6"),
    ("TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end", "T11"),
    ("Secret is not supplied by SDS", "T12"),
    ("TLS_error:|268436512:SSL_routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA", "T9"),
    ("TLS_error:|268436502:SSL_routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_UNKNOWN:TLS_error_end", "T9b"),
    ("TLS_error:|33554536:system_library:OPENSSL_internal:Connection_reset_by_peer:TLS_error_end", "T16"),
    ("268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED", "S3"),
    ("x509: remote error: tls: certificate verify failed", "S3"),
    ("TLS_error:|268436501:SSL", "T8b"),
    ("gRPC config for type.googleapis.com/envoy.config.listener.v3.Listener rejected: Error adding/updating", "X2"),
    ("delta config for type.googleapis.com/envoy.config.cluster.v3.Cluster rejected: x", "X2"),
    ("ADS:LDS: ACK ERROR web-1.shop-3 Internal:Error adding/updating listener(s)", "X1"),
    ("verify cert failed: X509_verify_cert: certificate is not yet valid", "T3"),
    ("verify cert failed: cert hash and spki", "T7"),
    ("X509_verify_cert: certificate verification error at depth 1: self-signed certificate in certificate chain", "T5"),
    ("TLS_error:|268435655:SSL_routines:OPENSSL_internal:PEER_DID_NOT_RETURN_A_CERTIFICATE:TLS_error_end", "T13"),
    ("TLS_error:|268436496:SSL_routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE:TLS_error_end", "T10"),
    ("TLS_error:|268435612:SSL_routines:OPENSSL_internal:HTTP_REQUEST:TLS_error_end", "T14"),
    ("x509: certificate has expired or is not yet valid: current time 2026-01-01T12:00:00Z is after", "T18"),
    ('failed calling webhook "validation.istio.io": x509: certificate signed by unknown authority', "T17"),
    ("Envoy proxy is NOT ready: config received from XDS server, but was rejected: cds updates: 0", "X15"),
    ("listeners patch caused panic, so the patches did not take effect", "X28"),
    ("incomplete signing CA bundle detected", "X22"),
    ("failed to sign: rpc error: code = Unavailable", "X18"),
    ("Root cert has changed, start rotating root cert", "X20"),
    ("Failed to roll forward root certificate", "X23"),
    ("cannot bind '0.0.0.0:80': Permission denied", "X11"),
    ("server warmup not complete; try again", "X24"),
    ('"10.0.0.1:5" exceeded rate limit: context deadline exceeded', "X25"),
    ("server is not live, current state is: PRE_INITIALIZING", "X16"),
    ("concurrency is set to 0, which will use a thread per CPU", "X31"),
    ("rpc error: code = ResourceExhausted desc = grpc: received message larger than max", "X27"),
    ("Envoy may have been out of memory killed. Check memory usage and limits.", "X30"),
    ("OOMKilled: container istio-proxy was killed", "X35"),
    ("connection closed due to policy change", "A6"),
    ("connection closed: peer certificate revoked by CRL", "A7"),
    ("certificate fetch failed (signing gRPC error (Unavailable)) and no valid existing certificate", "A10"),
    ("connection failed to drain within the timeout", "A13"),
    ("workload is unknown: 10.0.0.1", "A14"),
    ("no listener available: 127.0.0.6:15002", "A1"),
    ("istio-cni cmdAdd error: timeout", "A2"),
    ("failed to add pod to ztunnel: pod partially added, annotating with pending status", "A3"),
    ("not valid: is not valid anymore. Expired on 2026-01-01T12:00:00Z", "L10"),
    ("Failed to obtain identity", "L6"),
    ("no route found for request", "L2"),
    ("gateway loop detected", "L4"),
    ("HTTP response timeout after 1s", "L5"),
    ("discovery rejected by control plane: not found", "L9"),
    ("ext_authz_denied", "R30"),
    ("local_rate_limited", "R19"),
    ("request_rate_limited", "R20"),
    ("route_configuration_not_found", "R15"),
    ("route_not_found", "R14"),
    ("filter_chain_not_found", "T15"),
    ("response_timeout", "R9"),
    ("upstream_per_try_timeout", "R10"),
    ("fault_filter_abort", "R18"),
    ("direct_response", "R16"),
    ("max_duration_timeout", "R12"),
    ("envoy overloaded", "R21"),
    ("maintenance_mode", "R22"),
    ("upgrade_failed", "R23"),
    ("request_payload_too_large", "R25"),
    ("downstream_remote_disconnect", "R28"),
    ("upstream_reset_before_response_started{connection_timeout}", "R8"),
    ("HPE_INVALID_METHOD", "R24"),
    ("upstream_reset_before_response_started{remote_reset}", "R3"),
    ("Unexpected error error=unknown", "L11"),
    ("Updating new ROOT-CA not supported", "X21"),
    ("Multi root is disabled, updating new ROOT-CA not supported", "X21"),
    ("rbac_access_denied_matched_policy[ns[shop]-policy[deny]-rule[0]]", "S5"),
    ("cluster_not_found", "R13"),
    ("no_healthy_upstream", "S4"),
    ("no healthy upstream", "S4"),
    ("upstream_reset_before_response_started{connection_termination}", "R2"),
    ("upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_111}", "R6"),
    ("upstream connect error or disconnect/reset before headers. reset reason: overflow", "R1"),
    ("Error adding/updating listener(s) 0.0.0.0_80: no such filter", "X3"),
    ("Only unique values for domains are permitted. Duplicate entry of domain pay", "X4"),
    ("Didn't find a registered implementation for 'envoy.filters.http.x'", "X6"),
    ("Proto constraint validation failed (LuaValidationError.InlineCode)", "X8"),
    ("error adding listener '0.0.0.0_80': filter chain 'a' has the same matching rules defined as 'b'", "X10"),
    ("StreamAggregatedResources gRPC config stream to xds-grpc closed: 14, no healthy upstream", "X12"),
    ("DeltaAggregatedResources gRPC config stream to xds-grpc closed since 45s ago: 14, connection refused", "X13"),
    ("Envoy proxy is NOT ready: config not received from XDS server (is Istiod running?): cds updates: 0", "X14"),
    ("failed to connect to upstream istiod.istio-system.svc:15012: context deadline exceeded", "X17"),
    ("Send failure for node: web-1.shop", "X26"),
    ("secret shop/cert: found secret, but didn't have expected keys (cert and key)", "X29"),
    ("registered overlapping stream; closing previous", "X32"),
    ("Graceful termination logic ended prematurely, error while obtaining downstream_cx_active stat", "X33"),
    ("Unauthorized debug request from shop/web", "X34"),
    ("BackOff: Back-off restarting failed container istio-proxy in pod web-1", "X35b"),
    ("Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503 (container istio-proxy)", "X35d"),
    ("StreamAggregatedResources gRPC config stream closed: 14, no healthy upstream", "X12"),
    ("verify cert failed: X509_verify_cert: certificate verification error at depth 0: self signed certificate", "T5"),
    ("Unhealthy: Readiness probe failed: Get http://10.0.0.1:15021/healthz/ready: connection refused", "X35c"),
    ("connection closed due to policy rejection: explicitly denied by: shop/deny", "A5"),
    ("connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: deadline has elapsed", "A4"),
    ("unknown waypoint: 10.0.0.1", "A8"),
    ("error=service in fail-fast", "L1"),
    ("unauthorized request on route default/authz", "L3"),
    ("TLS detection timed out", "L7"),
    ("total rate limit exceeded: 100rps", "L8"),
    ("jwt_authn_access_denied{Jwt_is_missing}", "J1"),
    ("jwt_authn_access_denied{Jwt_is_expired}", "J2"),
    ("jwt_authn_access_denied{Jwt_issuer_is_not_configured}", "J3"),
    ("jwt_authn_access_denied{Jwt_verification_fails}", "J5"),
    ("jwt_authn_access_denied{Jwt_is_not_in_the_form_of_Header.Payload.Signature}", "J"),
    ("Audiences in Jwt are not allowed", "J6"),
    ("JWKS fetch failed for issuer https://x: timeout. JWT requests will be rejected", "J8"),
    ("jwt_authn_access_denied{Jwks_remote_fetch_is_failed}", "J9"),
    ("Only a single wildcard domain is permitted in route 80", "X5"),
    ("'envoy.x' does not have an object factory", "X7"),
    ("route: unknown cluster 'outbound|80||pay'", "X9"),
    ("request authenticate failure: Failed to authenticate", "X19"),
    ("Root certificate rotation is completed successfully.", "X23b"),
    ("XDS client connection error: gRPC connection error:status: Unknown", "A12"),
    ("http status: 503", "A11"),
    ("no healthy upstream: 10.0.0.1:80", "A9"),
    ("secret shop/cert not found", "X29"),
    ('Internal error occurred: failed calling webhook "rev.namespace.sidecar-injector.istio.io": failed', "T19"),
    ("low_version", "R26"),
    ("http.invalid_authority", "R26"),
    ("absolute_path_rejected", "R27"),
    ("- - upstream cluster BlackHoleCluster", "R17"),
    ("- - upstream cluster PassthroughCluster", "R17b"),
    ("upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "S1"),
    ("delayed connect error: Connection refused", "R6"),
    ("Jwks doesn't have key to match kid or alg from Jwt", "J4"),
    ("Failed to fetch public key from jwks URI https://x", "J7"),
    ("upstream_reset_before_response_started{local_reset}", "R4"),
    ("delayed_connect_error:_113", "R7"),
    ("stream_idle_timeout", "R11"),
    ("http1.codec_error{HPE_INVALID_METHOD}", "R5"),
    ("dns_resolution_failure", "R29"),
    ("<h1>503 Service Temporarily Unavailable</h1>", "S2"),
]


@pytest.mark.parametrize(("text", "known"), [pytest.param(*each, id=each[1] + "-" + each[0][:20]) for each in TEXTS])
def test_what_a_text_means(text: str, known: str) -> None:
    found = signature_of(text)

    assert found is not None
    assert found.id == known


@pytest.mark.parametrize(
    "text",
    [
        "",
        'Internal error occurred: failed calling webhook "webhook.cert-manager.io": connection refused',
        "cds: add/update cluster 'BlackHoleCluster'",
        "Use self-signed certificate as the CA certificate",
        "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503 (container pay)",
        "Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503",
        "-",
        "via_upstream",
        "cm init: all clusters initialized",
        "all dependencies initialized. starting workers",
        "lds: add/update listener '0.0.0.0_80'",
        "Envoy proxy is ready",
    ],
)
def test_ordinary_lines_mean_nothing(text: str) -> None:
    assert signature_of(text) is None


@pytest.mark.parametrize(
    ("flags", "details", "reason", "family"),
    [
        pytest.param(
            ("UF",), "x{delayed_connect_error:_111}", "delayed_connect_error:_111", "connect-failure", id="UF"
        ),
        pytest.param(("UF", "URX"), "-", "certificate_has_expired", "tls-leaf-expired", id="the-reason-comes-first"),
        pytest.param(("NC",), "-", "-", "no-cluster", id="the-flag-where-nothing-else-says"),
        pytest.param(("UH",), "no_healthy_upstream", "", "no-healthy-upstream", id="UH"),
        pytest.param(("RLSE",), "-", "-", "rate-limited", id="RLSE"),
        pytest.param(("DT",), "-", "-", "max-duration", id="DT"),
        pytest.param(("DI", "UF"), "-", "-", "connect-failure", id="a-delay-is-no-failure"),
        pytest.param(("DC",), "downstream_remote_disconnect", "", "client-gone", id="DC"),
        pytest.param(("UAEX",), "ext_authz_denied", "", "ext-authz", id="UAEX"),
        pytest.param((), "max_duration_timeout", "-", "max-duration", id="a-stream-at-its-end-has-no-flag"),
        pytest.param(("UMSDR",), "upstream_max_stream_duration_reached", "-", "max-duration", id="UMSDR"),
        pytest.param((), "via_upstream", "-", "", id="the-application-answered"),
    ],
)
def test_family_of_a_request(flags: tuple[str, ...], details: str, reason: str, family: str) -> None:
    assert family_of(flags, details, reason) == family


TLS = "TLS_error:|268435581:SSL_routines:CERTIFICATE_VERIFY_FAILED:unable_to_get_local_issuer_certificate"


@pytest.mark.parametrize(
    ("text", "length", "part"),
    [
        pytest.param("no healthy upstream", 99, "no healthy upstream", id="short"),
        pytest.param("no healthy upstream, and more of it", 19, "no healthy upstream…", id="it-begins-with-it"),
        pytest.param(TLS, 60, "…Y_FAILED:unable_to_get_local_issuer_certificate", id="it-ends-with-it"),
        pytest.param("x" * 30, 20, "x" * 20 + "…", id="it-means-nothing"),
    ],
)
def test_of_a_long_text_what_it_means_is_shown(text: str, length: int, part: str) -> None:
    assert shown(text, length) == part


ROWS = {"S": 5, "T": 19, "R": 30, "J": 9, "X": 35, "A": 14, "L": 11}
"""How many rows each section of the project's list of signatures has."""


def test_every_row_of_the_list_is_in_the_catalogue_and_can_be_reached() -> None:
    known = {each.id for each in SIGNATURES}

    assert known == {id_ for _, id_ in TEXTS}

    listed = {f"{section}{number}" for section, count in ROWS.items() for number in range(1, count + 1)}
    assert not listed - known


@pytest.mark.parametrize(
    ("flags", "http", "known"),
    [
        pytest.param(("UF", "URX"), True, "S1", id="retried"),
        pytest.param(("NR",), True, "R14", id="no-route"),
        pytest.param(("NR",), False, "T15", id="no-filter-chain"),
        pytest.param(("DI",), True, "R18", id="delayed"),
        pytest.param(("URX",), True, None, id="says-nothing-of-the-cause"),
    ],
)
def test_flags_by_themselves(flags: tuple[str, ...], http: bool, known: str | None) -> None:
    found = signature_of_flags(flags, http=http)

    assert (found.id if found else None) == known


def test_ids_are_unique_and_each_has_words() -> None:
    ids = [each.id for each in SIGNATURES]

    assert len(ids) == len(set(ids))
    assert all(each.cause and each.fix and each.family for each in SIGNATURES)


@given(st.text(max_size=200))
def test_any_text_is_judged_alike_with_underscores_and_spaces(text: str) -> None:
    assert signature_of(text.replace("_", " ")) is None or signature_of(text.replace(" ", "_")) is not None
