"""Stats as Envoy filters and formats them."""

import json

import pytest

from meshforensics.replay._answer import NoAnswerError
from meshforensics.replay._stats import prometheus, stats

READOUT = 'listener_manager.lds.version_text: "a: \\"b"\n'
ZERO, ONE = "cluster.a::b.rq: 0\n", "server.live: 1\n"
UNUSED = "cluster.a.ms: No recorded values\n"
USED = "server.ms: P0(nan,1) P25(nan,1.05) P50(0,2)\n"
TEXT = "".join((READOUT, ZERO, ONE, UNUSED, USED))
NOTE = "gauges that stood at 0 are left out; Envoy shows those that were ever set"
PROMETHEUS = b"""\
# TYPE envoy_rq counter
envoy_rq{cluster="a"} 0
envoy_rq{cluster="b"} 3
# TYPE envoy_idle gauge
envoy_idle{} 0
# TYPE envoy_ms histogram
envoy_ms_bucket{cluster="a",le="0.5"} 0
envoy_ms_bucket{cluster="a",le="+Inf"} 0
envoy_ms_sum{cluster="a"} 0
envoy_ms_count{cluster="a"} 0
envoy_ms_bucket{cluster="b",le="0.5"} 0
envoy_ms_bucket{cluster="b",le="+Inf"} 2
envoy_ms_sum{cluster="b"} 9.5
envoy_ms_count{cluster="b"} 2
"""


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param({}, TEXT, id="all"),
        pytest.param({"format": "text", "histogram_buckets": "summary", "pretty": ""}, TEXT, id="as-by-default"),
        pytest.param({"filter": r"a::b|live"}, ZERO + ONE, id="filter-anywhere-in-the-name"),
        pytest.param({"filter": "version"}, READOUT, id="filter-does-not-see-values"),
        pytest.param({"type": "Histograms"}, UNUSED + USED, id="histograms"),
        pytest.param({"type": "TextReadouts"}, READOUT, id="readouts"),
        pytest.param({"usedonly": ""}, READOUT + ONE + USED, id="used-only"),
        pytest.param({"filter": "^nothing$"}, "", id="nothing"),
    ],
)
def test_text(query: dict[str, str], text: str) -> None:
    said = stats(TEXT.encode(), query)

    assert (said.status, said.body.decode()) == (200, text)
    assert said.note == (NOTE if "usedonly" in query else "")


def test_json() -> None:
    said = json.loads(stats(TEXT.encode() + b"\xff: 2\n", {"format": "json"}).body)

    nothing = {"cumulative": None, "interval": None}
    assert said["stats"][:-1] == [
        {"name": "listener_manager.lds.version_text", "value": 'a: \\"b'},
        {"name": "cluster.a::b.rq", "value": 0},
        {"name": "server.live", "value": 1},
        {"name": "\ufffd", "value": 2},
    ]
    assert said["stats"][-1]["histograms"] == {
        "supported_quantiles": [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100],
        "computed_quantiles": [
            {"name": "cluster.a.ms", "values": [nothing] * 10},
            {
                "name": "server.ms",
                "values": [
                    {"cumulative": 1, "interval": None},
                    {"cumulative": 1.05, "interval": None},
                    {"cumulative": 2, "interval": 0},
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"type": "nope"}, 400),
        ({"filter": "("}, 400),
        ({"format": "nope"}, 400),
        ({"format": "html"}, 501),
        ({"type": "Counters"}, 501),
        ({"histogram_buckets": "cumulative"}, 501),
        ({"hidden": "include"}, 501),
    ],
)
def test_what_envoy_refuses_or_the_text_does_not_tell(query: dict[str, str], status: int) -> None:
    with pytest.raises(NoAnswerError) as refused:
        stats(TEXT.encode(), query)

    assert refused.value.status == status


def test_what_was_captured_as_json_is_given_as_json_only() -> None:
    assert stats(b'{"stats": []}', {"format": "json"}).body == stats(b'{"stats": []}', {}).body == b'{"stats": []}'
    with pytest.raises(NoAnswerError):
        stats(b'{"stats": []}', {"filter": "x"})


def test_of_prometheus_the_used_series_stay() -> None:
    said = prometheus(PROMETHEUS, {"format": "prometheus", "usedonly": ""})

    lines = PROMETHEUS.decode().splitlines(keepends=True)
    assert said.body.decode() == "".join((lines[0], lines[2], lines[5], *lines[10:]))
    assert said.note == NOTE


def test_prometheus_is_as_captured_or_refused() -> None:
    assert prometheus(PROMETHEUS, {}).body == PROMETHEUS
    with pytest.raises(NoAnswerError) as refused:
        prometheus(PROMETHEUS, {"filter": "server"})

    assert refused.value.status == 501
