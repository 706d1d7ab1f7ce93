"""Rows of log messages, and how far logs reach."""

from pathlib import Path

import pandas as pd

from meshforensics.testing import tables_of

DATA = Path(__file__).parent.parent / "data" / "istio-1.31"
AT = "2026-01-01T12:00:00Z"
BEFORE = "2026-01-01T11:00:00Z"


def _values(frame: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    made = frame[list(columns)].astype("object")
    return list(made.where(made.notna(), None).itertuples(index=False, name=None))


def test_proxy_log_of_both_kinds() -> None:
    tables = tables_of(
        ("log.istio-proxy", "shop/web-1", f"{AT}\twarning\tenvoy config a/b.cc:1\tx\nmore\tthread=1\n".encode()),
        ("log.ztunnel.previous", "istio-system/z", f"{AT}\terror\taccess\tconnection complete\terror=no\n".encode()),
    )

    assert _values(tables.frame("proxy_log"), "pod", "level", "scope", "message", "previous", "pointer") == [
        ("web-1", "warn", "envoy config", "x\nmore", False, "L1-L2"),
        ("z", "error", "access", "connection complete\terror=no", True, "L1"),
    ]


def test_istiod_log() -> None:
    frame = tables_of(("log.discovery", "istio-system/istiod-1", (DATA / "discovery.log").read_bytes())).frame(
        "istiod_log"
    )

    assert (len(frame), _values(frame, "at", "level", "scope", "message")[7]) == (
        12,
        (pd.Timestamp("2026-11-23T18:49:58.845548Z"), "info", None, "Starting istiod 1.31.0 (previous 1.29.2)"),
    )


def test_coverage() -> None:
    log = f"{AT}\tinfo\tx\n========= Previous log =========\n{BEFORE}\tinfo\ty\n"
    tables = tables_of(
        ("log.istio-proxy", "shop/web-1", log.encode()),
        ("log.istio-proxy", "shop/web-2", (DATA / "istio-proxy.log").read_bytes()),
        ("log.discovery", "istio-system/istiod-1", (DATA / "discovery.log").read_bytes()),
    )

    assert _values(
        tables.frame("log_coverage"), "pod", "kind", "previous", "first_at", "last_at", "lines", "access_lines"
    ) == [
        ("web-1", "log.istio-proxy", False, pd.Timestamp(AT), pd.Timestamp(AT), 1, 0),
        ("web-1", "log.istio-proxy", True, pd.Timestamp(BEFORE), pd.Timestamp(BEFORE), 1, 0),
        (
            "web-2",
            "log.istio-proxy",
            False,
            pd.Timestamp("2026-11-23T18:47:44.823Z"),
            pd.Timestamp("2026-11-23T19:01:45.124Z"),
            23,
            12,
        ),
        (
            "istiod-1",
            "log.discovery",
            False,
            pd.Timestamp("2026-11-23T18:49:44.111606Z"),
            pd.Timestamp("2026-11-23T18:49:59.297650Z"),
            13,
            0,
        ),
    ]


def test_the_log_of_a_linkerd_proxy_says_no_time_of_day() -> None:
    line = "[    62.001s]  INFO ThreadId(01) linkerd_app_core: request failed error=service in fail-fast\n"
    tables = tables_of(("log.linkerd-proxy", "shop/web-1", line.encode()))

    assert _values(tables.frame("other_log"), "pod", "level", "scope", "message") == [
        ("web-1", "info", "linkerd_app_core", "request failed error=service in fail-fast")
    ]
    assert _values(tables.frame("signatures"), "log", "signature", "family") == [("other", "L1", "no-healthy-upstream")]
