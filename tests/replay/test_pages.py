"""Pages of captured pods."""

import pytest

from meshforensics.bundle import BundleWriter
from meshforensics.replay._pages import page
from meshforensics.replay._state import State
from tests.replay.evidence import AT, DUMP, write

WEB, ISTIOD = "shop/web-0", "istio-system/istiod-1"


@pytest.fixture(scope="module")
def state() -> State:
    return State(write(), AT)


@pytest.mark.parametrize(
    ("subject", "port", "target", "status", "body"),
    [
        pytest.param(WEB, 15000, "/config_dump?include_eds", 200, DUMP, id="as-captured"),
        pytest.param(ISTIOD, 15014, "//debug/syncz", 200, b"[]", id="two-slashes"),
        pytest.param(WEB, 15000, "clusters", 200, b"a::default_priority::max_connections::1\n", id="no-slash"),
        pytest.param(WEB, 15000, "/stats?filter=^server", 200, b"server.live: 1\n", id="stats-filter"),
        pytest.param(WEB, 15000, "/ready", 503, b"DRAINING\n", id="ready-as-server-info-said"),
        pytest.param(ISTIOD, 15014, "/debug/syncz", 200, b"[]", id="istiod"),
        pytest.param(ISTIOD, 8080, "/debug/syncz", 200, b"[]", id="istiod-local"),
    ],
)
def test_a_captured_page(state: State, subject: str, port: int, target: str, status: int, body: bytes) -> None:
    said = page(state, subject, port, "GET", target)

    assert (said.status, said.body) == (status, body)


def test_a_ztunnel_s_dump_has_the_path_of_envoy_s() -> None:
    with BundleWriter("memory://tests-ztunnel", mesh="lab", layout="test") as writer:
        writer.add("ztunnel.config_dump", "istio-system/ztunnel-1", b"{}", captured_at=AT, time_source="Date")
        state = State(writer.seal(), AT)

    said = [
        page(state, "istio-system/ztunnel-1", 15000, "GET", f"/config_dump{more}").body for more in ("", "?include_eds")
    ]

    assert said == [b"{}", b"{}"]


@pytest.mark.parametrize(
    ("method", "target", "status", "said"),
    [
        ("GET", "/certs", 404, b"envoy.certs of shop/web-0 is not in this bundle (failed, timeout)\n"),
        ("GET", "/quitquitquit", 404, b"not captured; 15000/quitquitquit is no page that is captured\n"),
        ("POST", "/quitquitquit", 405, b"replay serves captured evidence: only GET, nothing is changed\n"),
        (
            "GET",
            "/server_info?x",
            501,
            b"replay cannot do this with captured evidence: it was captured without x\n",
        ),
    ],
)
def test_what_there_is_not_is_said(state: State, method: str, target: str, status: int, said: bytes) -> None:
    answer = page(state, WEB, 15000, method, target)

    assert (answer.status, answer.body) == (status, said)


def test_a_report_s_other_pages_of_istiod_are_served() -> None:
    with BundleWriter("memory://tests-istiod", mesh="lab", layout="test") as writer:
        for kind in ("istiod.cachez", "istiod.endpointShardz"):
            writer.add(kind, ISTIOD, kind.encode(), captured_at=AT, time_source="Date")
        state = State(writer.seal(), AT)

    said = [page(state, ISTIOD, 15014, "GET", f"/debug/{name}") for name in ("cachez", "endpointShardz", "mesh")]

    assert [(each.status, each.body) for each in said] == [
        (200, b"istiod.cachez"),
        (200, b"istiod.endpointShardz"),
        (404, b"istiod.mesh of istio-system/istiod-1 is not in this bundle: it was not captured\n"),
    ]


@pytest.mark.parametrize("said", [b"", b"[]", b"\xff", b'{"state": ' + b"[" * 5000])
def test_a_server_info_that_tells_no_state_is_no_readiness(said: bytes) -> None:
    with BundleWriter(f"memory://tests-ready/{len(said)}", mesh="lab", layout="test") as writer:
        writer.add("envoy.server_info", WEB, said, captured_at=AT, time_source="Date")
        state = State(writer.seal(), AT)

    assert page(state, WEB, 15000, "GET", "/ready").status == 404
