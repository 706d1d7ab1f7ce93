"""ztunnel's access lines are connections."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.ztunnel_log import Connection, decode
from meshforensics.model import NotTheFormError

LINE = (
    "2026-01-01T12:00:00.5Z\terror\taccess\tconnection complete\tsrc.addr=10.0.0.1:1 src.workload=web-1 "
    'src.namespace="shop" src.identity="spiffe://td/ns/shop/sa/web" dst.addr=10.0.0.2:15008 '
    'dst.hbone_addr=10.0.0.2:80 dst.service="db.shop" dst.workload="db-1" dst.namespace="shop" '
    'direction="outbound" bytes_sent=5 bytes_recv=7 duration="12ms" '
    'error="connection closed due to policy rejection: explicitly denied by: shop/p"\n'
)


def test_a_connection() -> None:
    log = decode(LINE.encode())

    assert log.connections == (
        Connection(
            at="2026-01-01T12:00:00.5Z",
            direction="outbound",
            source="shop/web-1",
            source_identity="spiffe://td/ns/shop/sa/web",
            destination="shop/db-1",
            destination_identity=None,
            service="db.shop",
            address="10.0.0.2:80",
            bytes_sent=5,
            bytes_received=7,
            duration_ms=12,
            error="connection closed due to policy rejection: explicitly denied by: shop/p",
            pointer="L1",
        ),
    )
    assert [(line.level, line.scope) for line in log.lines] == [("error", "access")]


@given(st.binary(max_size=80).map(lambda end: LINE.encode()[:60] + end + b"\n"))
def test_any_end_is_read(payload: bytes) -> None:
    log = decode(payload)

    assert log.lines[0].scope == "access"


@pytest.mark.parametrize("payload", [b"", b"no log\n", b"\xff\n"])
def test_what_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


@pytest.mark.shared
def test_public_ones(corpus: Path) -> None:
    counts = {
        path.name: len(decode(path.read_bytes()).connections)
        for path in sorted((corpus / "access_logs").glob("*ztunnel*.log"))
    }

    assert counts == {
        "docs_ztunnel_lines_zirain_playground.log": 1,
        "kiali_2024-04-23_ztunnel.log": 10,
        "kiali_2024-05-10_ztunnel.log": 10,
        "kiali_ztunnel.log": 27,
    }
