"""Envoy's /memory."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.memory import Memory, decode
from meshforensics.model import NotTheFormError, TruncatedError

SAMPLE = Path(__file__).parents[1] / "data/admin-1.40/memory"


def test_a_real_answer() -> None:
    assert decode(SAMPLE.read_bytes()) == Memory(
        allocated=8182768,
        heap_size=14680064,
        pageheap_unmapped=0,
        pageheap_free=4497408,
        total_thread_cache=672656,
        total_physical_bytes=17754942,
    )


def test_what_an_old_envoy_does_not_print_is_not_zero() -> None:
    said = decode(b'{"allocated": "1", "heap_size": 2, "of_the_future": {}}')

    assert said == Memory(allocated=1, heap_size=2)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(b"", "empty, where an answer of /memory was expected", id="empty"),
        pytest.param(b"{}", "not an answer of /memory: JSON without allocated", id="another-object"),
        pytest.param(
            b'{"allocated": "-1"}', "not an answer of /memory: allocated is '-1', no number of bytes", id="negative"
        ),
        pytest.param(
            b'{"allocated": "9223372036854775808"}',
            "not an answer of /memory: allocated is more bytes than there can be",
            id="2-to-the-63",
        ),
    ],
)
def test_what_is_refused(payload: bytes, why: str) -> None:
    with pytest.raises(NotTheFormError) as refused:
        decode(payload)

    assert str(refused.value) == why


def test_a_cut_answer_is_truncated() -> None:
    with pytest.raises(TruncatedError):
        decode(SAMPLE.read_bytes()[:90])


@given(st.binary() | st.binary().map(lambda tail: b'{"allocated": "1", "heap_size": ' + tail))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    try:
        made = decode(payload)
    except NotTheFormError:
        return
    assert made.allocated >= 0


def test_the_corpus(corpus: Path) -> None:
    found = sorted(corpus.glob("bugreport/*/bug-report/proxies/*/*/memory"))

    assert [decode(path.read_bytes()).total_thread_cache is not None for path in found] == [True] * 5
