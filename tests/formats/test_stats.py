"""Envoy's /stats, as text and as JSON.

Samples are written after the forms that Envoy's admin documentation gives; those of the corpus are real.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats._stat_records import Bucket, Stat
from meshforensics.formats.stats import Stats, decode
from meshforensics.model import NotTheFormError, TruncatedError

CLUSTER = "outbound|80||web.shop.svc.cluster.local"
LARGEST = 2**64 - 1


def counted(name: str, value: int, pointer: str, cluster: str | None = None) -> Stat:
    return Stat(pointer, name, None, "{}", cluster, None, None, value, float(value), None)


def quantile(name: str, at: float, real: float | None, pointer: str) -> Bucket:
    return Bucket(pointer, name, "summary", "{}", None, None, None, at, None, None, real)


def bucket(name: str, le: float, count: int | None, pointer: str) -> Bucket:
    return Bucket(pointer, name, "histogram", "{}", None, None, le, None, count, None, None)


@pytest.mark.parametrize(
    ("line", "stat"),
    [
        pytest.param("server.uptime: 7", counted("server.uptime", 7, "L1"), id="number"),
        pytest.param(
            f"cluster.{CLUSTER};.circuit_breakers.default.remaining_cx_pools: {LARGEST}",
            counted(f"cluster.{CLUSTER};.circuit_breakers.default.remaining_cx_pools", LARGEST, "L1", CLUSTER),
            id="2-to-the-64-minus-1",
        ),
        pytest.param(
            "sds.spiffe://a/b: c.update_success: 3",
            counted("sds.spiffe://a/b: c.update_success", 3, "L1"),
            id="a-name-with-colons",
        ),
        pytest.param(
            'listener_manager.lds.version_text: "2026-11-23T18:45:00Z/12: x"',
            Stat(
                "L1",
                "listener_manager.lds.version_text",
                "text",
                "{}",
                None,
                None,
                None,
                None,
                None,
                "2026-11-23T18:45:00Z/12: x",
            ),
            id="text-with-a-colon",
        ),
        pytest.param(
            'control_plane.identifier: "say \\"hi\\": 3"',
            Stat("L1", "control_plane.identifier", "text", "{}", None, None, None, None, None, 'say \\"hi\\": 3'),
            id="text-with-quotes-and-a-number",
        ),
        pytest.param(
            'a.b: ""', Stat("L1", "a.b", "text", "{}", None, None, None, None, None, ""), id="text-of-nothing"
        ),
    ],
)
def test_a_line(line: str, stat: Stat) -> None:
    assert decode(f"{line}\n".encode()) == Stats((stat,), ())


@pytest.mark.parametrize(
    ("text", "points"),
    [
        pytest.param("h: No recorded values\n", (), id="nothing-recorded"),
        pytest.param(
            "h: P0(nan,1) P50(3,2.5) P99.9(nan,nan)\n",
            (quantile("h", 0.0, 1.0, "L1"), quantile("h", 0.5, 2.5, "L1"), quantile("h", 0.999, None, "L1")),
            id="summary",
        ),
        pytest.param(
            f"h: B0.5(0,0) B1(0,3) B1.8e+06(1,{LARGEST})\n",
            (bucket("h", 0.5, 0, "L1"), bucket("h", 1.0, 3, "L1"), bucket("h", 1.8e6, LARGEST, "L1")),
            id="buckets",
        ),
        pytest.param(
            "h:\n  totals=1,0.5:2, 10,1:3\n  intervals=1,0.5:1\n  summary=P0(1,2) P100(1,11)\n",
            (
                bucket("h", 1.5, 2, "L2"),
                bucket("h", 11.0, 5, "L2"),
                quantile("h", 0.0, 2.0, "L4"),
                quantile("h", 1.0, 11.0, "L4"),
            ),
            id="detailed-is-summed-up",
        ),
    ],
)
def test_a_histogram_in_text(text: str, points: tuple[Bucket, ...]) -> None:
    assert decode(text.encode()) == Stats((), points)


def test_a_cut_last_line_is_left_out_and_an_odd_line_is_named() -> None:
    assert decode(b"a.b: 1\n??\na.c: 2\na.d: 18446744073") == Stats(
        (counted("a.b", 1, "L1"), counted("a.c", 2, "L3")), (), (2,)
    )


@pytest.mark.parametrize(
    ("held", "points"),
    [
        pytest.param(
            {
                "supported_quantiles": [0, 99.9],
                "computed_quantiles": [
                    {"name": "h", "values": [{"interval": None, "cumulative": 1}, {"cumulative": None}]},
                    {"name": "none", "values": None},
                ],
            },
            (
                quantile("h", 0.0, 1.0, "/stats/0/histograms/computed_quantiles/0/values/0"),
                quantile("h", 0.999, None, "/stats/0/histograms/computed_quantiles/0/values/1"),
            ),
            id="summary",
        ),
        pytest.param(
            [{"name": "h", "buckets": [{"upper_bound": 0.5, "interval": 0, "cumulative": LARGEST}]}],
            (bucket("h", 0.5, LARGEST, "/stats/0/histograms/0/buckets/0"),),
            id="buckets",
        ),
        pytest.param(
            {
                "supported_percentiles": [50],
                "details": [
                    {
                        "name": "h",
                        "totals": [
                            {"lower_bound": 1, "width": 0.5, "count": 2},
                            {"lower_bound": 10, "width": 1, "count": 3},
                        ],
                        "intervals": [],
                        "percentiles": [{"interval": None, "cumulative": 1.2}],
                    }
                ],
            },
            (
                quantile("h", 0.5, 1.2, "/stats/0/histograms/details/0/percentiles/0"),
                bucket("h", 1.5, 2, "/stats/0/histograms/details/0/totals/0"),
                bucket("h", 11.0, 5, "/stats/0/histograms/details/0/totals/1"),
            ),
            id="detailed",
        ),
    ],
)
def test_a_histogram_in_json(held: Any, points: tuple[Bucket, ...]) -> None:
    assert decode(json.dumps({"stats": [{"histograms": held}]}).encode()) == Stats((), points)


def test_json() -> None:
    payload = json.dumps({"stats": [{"name": "a.b", "value": LARGEST}, {"name": "a.version_text", "value": "12"}]})

    assert decode(payload.encode()) == Stats(
        (
            counted("a.b", LARGEST, "/stats/0"),
            Stat("/stats/1", "a.version_text", "text", "{}", None, None, None, None, None, "12"),
        ),
        (),
    )


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(b"", "empty, where an answer of /stats was expected", id="empty"),
        pytest.param(b"# TYPE a counter\na 1\n", "not an answer of /stats: a Prometheus scrape", id="scrape"),
        pytest.param(b"<html>\n<p>502\n", "not an answer of /stats: line 1 is '<html>'", id="error-page"),
        pytest.param(b"{}", "not an answer of /stats: JSON without a list stats", id="another-object"),
        pytest.param(b'{"stats": [1]}', "not an answer of /stats: /stats/0 is no object", id="a-number"),
    ],
)
def test_what_is_refused(payload: bytes, why: str) -> None:
    with pytest.raises(NotTheFormError) as refused:
        decode(payload)

    assert str(refused.value) == why


def test_cut_json_is_truncated() -> None:
    with pytest.raises(TruncatedError):
        decode(b'{"stats": [{"name": "a')


_LINES = st.lists(st.text('ab.: "()P0B1,n=\n;|', max_size=30)).map("\n".join)
_KEYS = [
    "name",
    "value",
    "histograms",
    "buckets",
    "supported_quantiles",
    "computed_quantiles",
    "values",
    "details",
    "totals",
    "lower_bound",
    "width",
    "count",
    "upper_bound",
    "cumulative",
    "percentiles",
]
_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS),
            inner,
            max_size=4,
        )
    ),
)


@given(
    st.binary()
    | _LINES.map(str.encode)
    | st.lists(_JSON, max_size=4).map(lambda held: json.dumps({"stats": held}).encode())
)
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert all(each.value is None or 0 <= each.value <= LARGEST for each in made.stats)
    assert all(each.counted is None or 0 <= each.counted <= LARGEST for each in made.histograms)


def test_the_corpus(corpus: Path) -> None:
    made = decode((corpus / "envoy_admin/stats_rbac_enforce.txt").read_bytes())

    assert made == Stats(
        (
            counted("http.foo_buz_enforce.rbac.allowed", 0, "L1"),
            counted("http.foo_buz_enforce.rbac.denied", 1, "L2"),
            counted("http.foo_buz_enforce.rbac.rule_prefix.allowed", 2, "L3"),
            counted("http.foo_buz_enforce.rbac.rule_prefix.denied", 3, "L4"),
        ),
        (),
    )
