"""istiod's log tells rejections, which may run over lines, and pushes."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshforensics.formats.istiod_log import Nack, Push, decode, proxy_of
from meshforensics.model import NotTheFormError

DATA = Path(__file__).parent.parent / "data" / "istio-1.31" / "discovery.log"
AT = "2026-01-01T12:00:00.000000Z"


def test_a_real_log() -> None:
    log = decode(DATA.read_bytes())

    assert log.nacks == (
        Nack(
            type="lds",
            proxy="ops/seats-v1-p7n8cbmrb-tp4xn",
            connection="seats-v1-p7n8cbmrb-tp4xn.ops-22",
            code="Internal",
            resource_name="virtualInbound",
            message="local rate limit token bucket fill timer must be >= 50ms",
            at="2026-11-23T18:49:59.297650Z",
            pointer="L12",
        ),
    )
    assert [(push.type, push.asked, push.resources, push.size, push.pointer) for push in log.pushes] == [
        ("cds", True, 2, "1.5kB", "L4"),
        ("cds", True, 8, "5.7kB", "L6"),
        ("lds", True, 2, "7.9kB", "L7"),
        ("cds", False, 2, "1.5kB", "L9"),
        ("eds", False, 1, "0.5kB", "L10"),
        ("lds", False, 1, "2.2kB", "L11"),
    ]
    assert [(line.level, line.scope, line.message) for line in log.lines][1] == (
        "info",
        None,
        "starting server 1.29.2",
    )


def test_a_nack_of_several_lines_is_one_per_listener() -> None:
    log = decode(
        f"{AT}\twarn\tads\tADS:LDS: ACK ERROR web.v1-0.shop-7 Internal:Error adding/updating listener(s) "
        f"0.0.0.0_80: a\n  b\n0.0.0.0_81: c\n\n{AT}\tinfo\tads\tx\n".encode()
    )

    assert [(nack.proxy, nack.resource_name, nack.message, nack.pointer) for nack in log.nacks] == [
        ("shop/web.v1-0", "0.0.0.0_80", "a\n  b", "L1-L3"),
        ("shop/web.v1-0", "0.0.0.0_81", "c", "L1-L3"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "ADS:CDS: ACK ERROR sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local-20 Internal:bad",
            ("cds", "shop/web-1", "Internal", "bad"),
            id="node-id",
        ),
        pytest.param(
            "ADS:LDS: ACK ERROR 10.0.0.1:37402 sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local-36 (web-1.shop) "
            'version_info:"1" node:<id:"x" > error_detail:<code:13 message:"no \\"a\\"\\nb" >',
            ("lds", "shop/web-1", None, 'no "a"\nb'),
            id="before-1.5",
        ),
        pytest.param("ADS:RDS: ACK ERROR web-1.ns-1-22 13:bad", ("rds", "ns-1/web-1", "13", "bad"), id="numbers"),
        pytest.param("ADS:EDS: ACK ERROR node-5 bad", ("eds", None, None, "bad"), id="no-namespace"),
    ],
)
def test_nacks_of_every_age(text: str, expected: tuple[str | None, ...]) -> None:
    (nack,) = decode(f"{AT}\twarn\tads\t{text}\n".encode()).nacks

    assert (nack.type, nack.proxy, nack.code, nack.message) == expected


def test_json() -> None:
    log = decode(
        f'{{"level":"info","time":"{AT}","scope":"delta","msg":"RDS: PUSH request for node:web-1.shop resources:3 '
        'size:1.2kB cached:3/3"}\n'.encode()
    )

    assert log.pushes == (Push("rds", "shop/web-1", True, 3, "1.2kB", AT, "L1"),)


@pytest.mark.parametrize(
    ("node", "proxy"),
    [("web-1.shop", "shop/web-1"), ("web.v1-0.shop", "shop/web.v1-0"), ("web", None), (".shop", None), ("", None)],
)
def test_proxy_of(node: str, proxy: str | None) -> None:
    assert proxy_of(node) == proxy


@example(b"========= Previous log =========")
@given(st.binary(max_size=200) | st.text().map(lambda end: f"{AT}\twarn\tads\tADS:LDS: ACK ERROR {end}\n".encode()))
def test_any_bytes_are_a_log_or_refused(payload: bytes) -> None:
    try:
        log = decode(payload)
    except NotTheFormError:
        return
    assert log.lines


@pytest.mark.shared
@pytest.mark.parametrize(
    ("path", "lines", "pushes"),
    [
        ("bugreport/istio_2023-09/bug-report/istio/istio-system/istiod-5dc9d477-27gmf/discovery.log", 5756, 3674),
        ("istiod/logs/istio-1.6_istiod_2020-04_status_errors.log", 5578, 0),
    ],
)
def test_public_logs(corpus: Path, path: str, lines: int, pushes: int) -> None:
    log = decode((corpus / path).read_bytes())

    assert (len(log.lines), len(log.pushes), log.nacks) == (lines, pushes, ())
