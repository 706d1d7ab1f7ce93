"""One refused listener, told in four places, is four rows of one cause; current where it can be known."""

import json
from pathlib import Path

import pandas as pd
import pytest

from meshforensics.testing import tables_of

DATA = Path(__file__).parent.parent / "data" / "istio-1.31"
ISTIOD = "istio-system/istiod-1"
PROXY = "ops/seats-v1-p7n8cbmrb-tp4xn"
LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
REASON = "local rate limit token bucket fill timer must be >= 50ms"
DUMP = json.dumps(
    {
        "configs": [
            {
                "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
                "dynamic_listeners": [
                    {
                        "name": "virtualInbound",
                        "error_state": {
                            "failed_configuration": {
                                "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
                                "name": "virtualInbound",
                            },
                            "last_update_attempt": "2026-11-23T18:49:59.296Z",
                            "details": REASON,
                        },
                    }
                ],
            }
        ]
    }
).encode()


def _values(frame: pd.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    made = frame[list(columns)].astype("object")
    return list(made.where(made.notna(), None).itertuples(index=False, name=None))


def test_four_places_say_the_same() -> None:
    tables = tables_of(
        ("envoy.config_dump", PROXY, DUMP),
        ("istiod.syncz", ISTIOD, (DATA / "syncz").read_bytes()),
        ("log.istio-proxy", PROXY, (DATA / "istio-proxy.log").read_bytes()),
        ("log.discovery", ISTIOD, (DATA / "discovery.log").read_bytes()),
    )
    frame = tables.frame("rejections")

    same = {tuple(row) for row in _values(frame, "namespace", "pod", "type", "resource_name", "message", "current")}
    assert same == {(*PROXY.split("/"), "lds", "virtualInbound", REASON, True)}
    assert _values(frame, "place", "at", "istiod", "pointer") == [
        (
            "config_dump",
            pd.Timestamp("2026-11-23T18:49:59.296Z"),
            None,
            "/configs/0/dynamic_listeners/0/error_state",
        ),
        (
            "syncz",
            pd.Timestamp("2026-11-23T18:49:59Z"),
            ISTIOD,
            "/1/resources/type.googleapis.com~1envoy.config.listener.v3.Listener",
        ),
        ("proxy-log", pd.Timestamp("2026-11-23T18:49:59.296967Z"), None, "L15-L16"),
        ("istiod-log", pd.Timestamp("2026-11-23T18:49:59.297650Z"), ISTIOD, "L12"),
    ]


@pytest.mark.parametrize(
    ("said", "current"),
    [
        pytest.param({"sent": "2", "acked": "2"}, False, id="accepted-since"),
        pytest.param({"sent": "2", "acked": "1", "lastError": "x"}, True, id="still-refused"),
        pytest.param({"sent": "2", "acked": "1"}, None, id="behind-for-an-unknown-reason"),
        pytest.param(None, None, id="no-syncz"),
    ],
)
def test_whether_a_rejection_of_a_log_stands(said: dict[str, str] | None, current: bool | None) -> None:
    resources = {"x/y.Listener": said}
    syncz = json.dumps([{"proxy": "seats-v1-p7n8cbmrb-tp4xn.ops", "resources": resources}]).encode()
    items = [("log.istio-proxy", PROXY, (DATA / "istio-proxy.log").read_bytes())]
    if said is not None:
        items.append(("istiod.syncz", ISTIOD, syncz))

    tables = tables_of(*items)
    frame = tables.frame("rejections")

    assert _values(frame[frame["place"] == "proxy-log"], "current") == [(current,)]
    assert tables.state("rejections").reason == ""


def test_rejections_before_a_restart_do_not_stand() -> None:
    frame = tables_of(("log.istio-proxy.previous", PROXY, (DATA / "istio-proxy.log").read_bytes())).frame("rejections")

    assert _values(frame, "place", "current") == [("proxy-log", False)]


@pytest.mark.parametrize(
    ("message", "made_by"),
    [
        ("bad /apis/networking.istio.io/v1alpha3/namespaces/ops/envoy-filter/limit, fix", "EnvoyFilter:ops/limit"),
        ("EnvoyFilter ops/limit is wrong", "EnvoyFilter:ops/limit"),
        ("plain", None),
    ],
)
def test_an_object_that_the_text_names(message: str, made_by: str | None) -> None:
    log = f"2026-01-01T12:00:00Z\twarn\tads\tADS:LDS: ACK ERROR web-1.ops-2 Internal:{message}\n".encode()

    assert _values(tables_of(("log.discovery", ISTIOD, log)).frame("rejections"), "object") == [(made_by,)]


def test_nothing_captured_is_said() -> None:
    assert tables_of().state("rejections").reason == "not captured: rejection_reports"


@pytest.mark.parametrize(("acked", "current"), [("a", True), ("b", False)], ids=["behind", "accepted-since"])
def test_what_syncz_tells_stands_until_the_proxy_accepts(acked: str, current: bool) -> None:
    resources = {LISTENER: {"sent": "b", "acked": acked, "lastError": REASON}}
    syncz = json.dumps([{"proxy": "seats-v1-p7n8cbmrb-tp4xn.ops", "resources": resources}]).encode()

    told = tables_of(("istiod.syncz", ISTIOD, syncz)).frame("rejection_reports")

    assert _values(told, "place", "type", "current") == [("syncz", "lds", current)]


def test_without_istiod_the_proxy_s_own_dump_and_gauges_tell_what_is_over() -> None:
    """A rejection that was mended later is no current one, though istiod's side was not captured."""
    log = (DATA / "istio-proxy.log").read_bytes()
    accepted = b"listener_manager.lds.update_time: 1795460000000\n"  # 2026-11-23T19:33:20Z, after the rejection

    open_ = tables_of(("log.istio-proxy", PROXY, log)).frame("rejections")
    over = tables_of(("log.istio-proxy", PROXY, log), ("envoy.stats", PROXY, accepted)).frame("rejections")

    assert _values(open_, "place", "current") == [("proxy-log", None)]
    assert _values(over, "place", "current") == [("proxy-log", False)]


def test_the_object_of_a_rejected_listener_is_named_by_its_dump() -> None:
    made = json.loads(DUMP)
    failed = made["configs"][0]["dynamic_listeners"][0]["error_state"]["failed_configuration"]
    path = "/apis/networking.istio.io/v1alpha3/namespaces/ops/gateway/edge"
    failed["metadata"] = {"filter_metadata": {"istio": {"config": path}}}
    items = [("envoy.config_dump", PROXY, json.dumps(made).encode())]

    frame = tables_of(*items, ("log.istio-proxy", PROXY, (DATA / "istio-proxy.log").read_bytes())).frame("rejections")

    assert {each for (each,) in _values(frame, "object")} == {"Gateway:ops/edge"}
