"""Rows of access lines."""

from pathlib import Path

import pandas as pd

from meshforensics.tables.access_log import access_log
from meshforensics.testing import rows_of, tables_of

DATA = Path(__file__).parent.parent / "data" / "istio-1.31" / "istio-proxy.log"


def _tables(kind: str) -> pd.DataFrame:
    return tables_of((kind, "shop/web-1", DATA.read_bytes())).frame("access_log")


def test_whole_row() -> None:
    row = rows_of(access_log, DATA.read_bytes(), kind="log.istio-proxy")[10]
    reason = (
        "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_X509_verify_cert:"
        "_certificate_verification_error_at_depth_0:_unable_to_get_local_issuer_certificate:TLS_error_end"
    )

    assert [None if isinstance(value, float) or value is pd.NaT else value for value in row] == [
        "shop",
        "web-1",
        None,
        pd.Timestamp("2026-11-23T18:47:44.823Z"),
        "GET",
        "/search?from=AMS&to=LIS",
        "HTTP/1.1",
        503,
        ("UF", "URX"),
        f"upstream_reset_before_response_started{{remote_connection_failure|{reason}}}",
        None,
        reason,
        0,
        121,
        32,
        pd.NA,
        None,
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        "67fa2c96-6fad-4dcf-a7ae-93fef65fc420",
        "pricing.travel.svc.cluster.local:8000",
        "10.244.2.15:8000",
        "outbound|8000|v1|pricing.travel.svc.cluster.local",
        "primary",
        "outbound",
        None,
        "10.97.0.14:8000",
        "10.244.1.12:35154",
        None,
        "istio-1.9",
        False,
        "log.istio-proxy:shop/web-1@unknown",
        "L22",
    ]


def test_the_previous_containers_log_is_marked() -> None:
    assert set(_tables("log.istio-proxy.previous")["previous"]) == {True}
    assert set(_tables("log.istio-proxy")["previous"]) == {False}


def test_a_log_without_access_lines_tells_nothing_of_requests() -> None:
    """Access logging may be off, as it is in Istio where nobody asked for it: no line is not no request."""
    tables = tables_of(("log.istio-proxy", "shop/web-1", b"2026-01-01T12:00:00Z\tinfo\tx\n"))

    assert (len(tables.frame("access_log")), tables.state("access_log").reason) == (0, "not captured: access_log")
    assert tables.state("calls").reason == "not captured: access_log"
    assert tables.state("proxy_log").reason == ""


def test_what_is_no_log_is_not_decoded() -> None:
    tables = tables_of(("log.istio-proxy", "shop/web-1", b"Error from server: gone\n"))

    assert len(tables.frame("access_log")) == 0
    assert [item for item, _ in tables.state("access_log").not_decoded] == ["log.istio-proxy:shop/web-1@unknown"]
