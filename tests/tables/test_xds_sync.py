"""Rows of what istiod sent, who is connected, and what was pushed."""

from pathlib import Path

import pandas as pd
import pytest

from meshforensics.tables.xds_sync import pod
from meshforensics.testing import tables_of

DATA = Path(__file__).parent.parent / "data" / "istio-1.31"
ISTIOD = "istio-system/istiod-1"


def _values(frame: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    made = frame[list(columns)].astype("object")
    return list(made.where(made.notna(), None).itertuples(index=False, name=None))


def test_xds_sync() -> None:
    frame = tables_of(("istiod.syncz", ISTIOD, (DATA / "syncz").read_bytes())).frame("xds_sync")

    assert _values(frame, "namespace", "pod", "istiod", "type", "status", "sent_at", "proxy_version")[4:7] == [
        ("ops", "seats-v1-p7n8cbmrb-tp4xn", ISTIOD, "cds", "SYNCED", pd.Timestamp("2026-11-23T18:49:59Z"), "1.29.2"),
        ("ops", "seats-v1-p7n8cbmrb-tp4xn", ISTIOD, "lds", "NACKED", pd.Timestamp("2026-11-23T18:49:59Z"), "1.29.2"),
        ("ops", "seats-v1-p7n8cbmrb-tp4xn", ISTIOD, "rds", "NOT SENT", None, "1.29.2"),
    ]
    assert frame["item"].unique().tolist() == [f"istiod.syncz:{ISTIOD}@unknown"]


def test_xds_connections() -> None:
    frame = tables_of(("istiod.adsz", ISTIOD, (DATA / "adsz").read_bytes())).frame("xds_connections")

    assert _values(frame, "namespace", "connected_at", "watched_types", "watched_names", "pointer") == [
        ("istio-system", pd.Timestamp("2026-11-23T18:49:44Z"), ("cds", "eds", "lds", "rds"), 2, "/clients/0"),
        ("travel", pd.Timestamp("2026-11-23T18:49:44Z"), ("cds", "eds", "lds", "rds"), 4, "/clients/1"),
    ]


def test_pushes() -> None:
    frame = tables_of(("log.discovery", ISTIOD, (DATA / "discovery.log").read_bytes())).frame("pushes")

    assert _values(frame, "namespace", "type", "asked", "resources", "size", "pointer") == [
        ("istio-system", "cds", True, 2, "1.5kB", "L4"),
        ("travel", "cds", True, 8, "5.7kB", "L6"),
        ("ops", "lds", True, 2, "7.9kB", "L7"),
        ("istio-system", "cds", False, 2, "1.5kB", "L9"),
        ("istio-system", "eds", False, 1, "0.5kB", "L10"),
        ("istio-system", "lds", False, 1, "2.2kB", "L11"),
    ]


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [("shop/web", ("shop", "web")), ("web", (None, "web")), ("", (None, None)), (None, (None, None))],
)
def test_pod(proxy: str | None, expected: tuple[str | None, str | None]) -> None:
    assert pod(proxy) == expected
