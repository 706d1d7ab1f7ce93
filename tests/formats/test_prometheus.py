"""Prometheus scrapes: of Envoy, istiod, ztunnel, Linkerd, and of what agents merge."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from meshforensics.formats._stat_records import Bucket, Stat, Stats
from meshforensics.formats.prometheus import decode
from meshforensics.model import NotTheFormError

SAMPLE = Path(__file__).parents[1] / "data/admin-1.40/stats_prometheus"
LARGEST = 2**64 - 1
INFINITE = float("inf")


def test_a_gauge_near_2_to_the_64_of_a_real_proxy_is_exact() -> None:
    pools = [each for each in decode(SAMPLE.read_bytes()).stats if "remaining_cx_pools" in each.name]

    assert pools == [
        Stat(
            "L14",
            "envoy_cluster_circuit_breakers_default_remaining_cx_pools",
            "gauge",
            '{"cluster_name":"inbound|8080||"}',
            "inbound|8080||",
            None,
            None,
            18446744073709551614,
            float(2**64),
            None,
        )
    ]


def test_a_histogram_of_a_real_proxy() -> None:
    made = decode(SAMPLE.read_bytes()).histograms
    name = "envoy_cluster_manager_cds_update_duration"

    assert len(made) == 20
    assert (made[0], made[-1]) == (
        Bucket("L23", name, "histogram", "{}", None, None, 0.5, None, 0, None, None),
        Bucket("L42", name, "histogram", "{}", None, None, INFINITE, None, 1, 2.048780487804878, None),
    )


@pytest.mark.parametrize(
    ("number", "value", "real"),
    [
        pytest.param(str(LARGEST), LARGEST, float(LARGEST), id="2-to-the-64-minus-1"),
        pytest.param("9007199254740993", 2**53 + 1, float(2**53), id="no-float"),
        pytest.param("1.5e+06", 1_500_000, 1.5e6, id="of-go"),
        pytest.param("-3", None, -3.0, id="negative"),
        pytest.param("NaN", None, None, id="nan"),
        pytest.param("+Inf", None, INFINITE, id="infinite"),
        pytest.param("1 1795459649767", 1, 1.0, id="with-a-time"),
        pytest.param('1 # {trace="a"} 0.5 1.5', 1, 1.0, id="with-an-exemplar"),
    ],
)
def test_a_number(number: str, value: int | None, real: float | None) -> None:
    assert decode(f"a {number}\n".encode()).stats == (Stat("L1", "a", None, "{}", None, None, None, value, real, None),)


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        pytest.param("a{} 7", "{}", id="empty-braces"),
        pytest.param('a{b="1",a="2"} 7', '{"a":"2","b":"1"}', id="sorted"),
        pytest.param('a{b="1",} 7', '{"b":"1"}', id="comma-at-the-end"),
        pytest.param('a{ b = "1" } 7', '{"b":"1"}', id="spaces"),
        pytest.param('a{b="x\\"y\\\\z\\nw"} 7', '{"b":"x\\"y\\\\z\\nw"}', id="escapes"),
        pytest.param('a{b="} 3 # {"} 7', '{"b":"} 3 # {"}', id="braces-and-a-hash-in-a-value"),
        pytest.param('a{b="é|;{"}\t7', '{"b":"é|;{"}', id="tab"),
        pytest.param('{"a",b="1"} 7', '{"b":"1"}', id="quoted-name"),
    ],
)
def test_labels(line: str, labels: str) -> None:
    assert decode(f"{line}\n".encode()).stats == (Stat("L1", "a", None, labels, None, None, None, 7, 7.0, None),)


@pytest.mark.parametrize(
    ("text", "types"),
    [
        pytest.param("# TYPE a counter\na_total 1\n", [("a_total", "counter")], id="openmetrics"),
        pytest.param("# TYPE a_total counter\na_total 1\n", [("a_total", "counter")], id="with-total"),
        pytest.param("a 1\n", [("a", None)], id="nowhere"),
        pytest.param(
            "# TYPE a gauge\na 1\n# TYPE a counter\na 1\n", [("a", "gauge"), ("a", "counter")], id="a-family-twice"
        ),
        pytest.param("# TYPE a unknown\na 1\n# EOF\n", [("a", "untyped")], id="unknown"),
    ],
)
def test_the_type_of_a_sample(text: str, types: list[tuple[str, str | None]]) -> None:
    assert [(each.name, each.type) for each in decode(text.encode()).stats] == types


def test_a_summary() -> None:
    text = '# TYPE a summary\na{quantile="0.5",x="1"} 2\na_sum{x="1"} 9.5\na_count{x="1"} 4\n'

    assert decode(text.encode()).histograms == (
        Bucket("L2", "a", "summary", '{"x":"1"}', None, None, None, 0.5, None, None, 2.0),
        Bucket("L3", "a", "summary", '{"x":"1"}', None, None, INFINITE, None, 4, 9.5, None),
    )


def test_a_histogram_without_its_last_bucket_has_its_total() -> None:
    text = '# TYPE a histogram\na_bucket{le="1"} 2\na_sum 9.5\na_count 4\n'

    assert decode(text.encode()).histograms == (
        Bucket("L2", "a", "histogram", "{}", None, None, 1.0, None, 2, None, None),
        Bucket("L3", "a", "histogram", "{}", None, None, INFINITE, None, 4, 9.5, None),
    )


def test_a_cut_last_line_is_left_out_and_an_odd_line_is_named() -> None:
    said = decode(b"Defaulting debug container name to x.\na 1\nb{c=d} 2\na 18446744073\na 1844")

    assert said.unread == (1, 3)
    assert [(each.pointer, each.value) for each in said.stats] == [("L2", 1), ("L4", 18446744073)]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(b"", "empty, where a Prometheus scrape was expected", id="empty"),
        pytest.param(b"# EOF\n", "not a Prometheus scrape: comments without a sample", id="comments"),
        pytest.param(b"a{...} 222\n", "not a Prometheus scrape: line 1 is 'a{...} 222'", id="of-a-manual"),
        pytest.param(b"<html>\n</html>\n", "not a Prometheus scrape: line 1 is '<html>'", id="error-page"),
    ],
)
def test_what_is_refused(payload: bytes, why: str) -> None:
    with pytest.raises(NotTheFormError) as refused:
        decode(payload)

    assert str(refused.value) == why


_NAMES = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
_LABEL_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)


@given(_NAMES, st.dictionaries(_LABEL_NAMES, st.text(), max_size=3), st.integers(0, LARGEST))
def test_what_the_library_would_print_is_read_back(name: str, labels: dict[str, str], value: int) -> None:
    inner = ",".join(
        f'{key}="{text}"'
        for key, raw in labels.items()
        for text in [raw.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')]
    )
    payload = f"{name}{{{inner}}} {value}\n".encode()

    made = decode(payload)

    assert [(each.name, each.value) for each in made.stats] == [(name, value)]


_SOUP = st.lists(
    st.sampled_from(["a", "{", "}", '"', "\\", "=", ",", " ", "1", "#", "# TYPE a histogram\n", "\n", "le"])
)


@given(st.binary() | _SOUP.map("".join).map(str.encode))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert all(each.value is None or 0 <= each.value <= LARGEST for each in made.stats)


def _of_library(text: str) -> Iterator[tuple[str, tuple[tuple[str, str], ...], float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, tuple(sorted(sample.labels.items())), float(sample.value)


@pytest.mark.parametrize(
    "pattern", ["prometheus/kuma/*.in", "bugreport/*/bug-report/proxies/*/*/stats/prometheus", "bugreport/**/metrics"]
)
def test_where_the_library_holds_it_says_the_same(corpus: Path, pattern: str) -> None:
    for path in sorted(corpus.glob(pattern)):
        said = decode(path.read_bytes())
        library = sum(1 for _ in _of_library(path.read_text()))
        points = sum(1 for each in said.histograms if each.type == "histogram" and each.le != INFINITE)
        totals = sum(3 for each in said.histograms if each.type == "histogram" and each.le == INFINITE)
        summaries = sum(2 if each.quantile is None else 1 for each in said.histograms if each.type == "summary")

        assert (len(said.stats) + points + totals + summaries, said.unread) == (library, ()), path


@pytest.mark.parametrize(
    ("name", "stats", "histograms", "unread"),
    [
        pytest.param("prometheus/istio_non-conforming.prom", 16, 11, (), id="two-types-and-no-last-newline"),
        pytest.param("prometheus/gloo_controller_metrics.prom", 110, 50, (1,), id="a-tools-line-before"),
        pytest.param("prometheus/ztunnel_1.24_excerpt.prom", 22, 0, (), id="openmetrics"),
        pytest.param("prometheus/istiod_1.5_excerpt.prom", 34, 17, (), id="istiod"),
        pytest.param("linkerd/sampleMetrics.txt", 87, 104, (), id="comment-blocks-between-pods"),
    ],
)
def test_the_corpus(corpus: Path, name: str, stats: int, histograms: int, unread: tuple[int, ...]) -> None:
    said = decode((corpus / name).read_bytes())

    assert (len(said.stats), len(said.histograms), said.unread) == (stats, histograms, unread)


def test_every_scrape_of_the_corpus_is_read_or_refused(corpus: Path) -> None:
    refused = []
    for path in sorted(each for each in corpus.glob("prometheus/**/*") if each.is_file()):
        try:
            assert decode(path.read_bytes()) != Stats((), ())
        except NotTheFormError as error:
            refused.append((path.name, str(error)))

    assert refused == [
        ("none.golden", "empty, where a Prometheus scrape was expected"),
        (
            "2.16_books.prom",
            "not a Prometheus scrape: line 1 is 'outbound_http_route_retry_limit_exceeded_total{...} 222'",
        ),
    ]
