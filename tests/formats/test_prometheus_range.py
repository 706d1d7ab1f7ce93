"""Answers of Prometheus, with exact times."""

import json
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.prometheus_range import Sample, decode
from meshforensics.model import NotTheFormError, TruncatedError

AT = datetime(2026, 11, 23, 18, 48, tzinfo=UTC)


def _answer(kind: str, result: object) -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, "warnings": []}).encode()


def test_matrix() -> None:
    seconds = AT.timestamp()
    payload = _answer("matrix", [{"metric": {"pod": "a"}, "values": [[seconds, "1.5"], [seconds + 30, "NaN"]]}])

    assert decode(payload) == (
        Sample({"pod": "a"}, AT, 1.5, "/data/result/0/values/0"),
        Sample({"pod": "a"}, AT + timedelta(seconds=30), None, "/data/result/0/values/1"),
    )


def test_vector_and_scalar() -> None:
    vector = _answer("vector", [{"metric": {}, "value": [AT.timestamp(), "+Inf"]}])
    scalar = _answer("scalar", [AT.timestamp(), "3"])

    assert decode(vector) == (Sample({}, AT, math.inf, "/data/result/0/value"),)
    assert decode(scalar) == (Sample({}, AT, 3.0, "/data/result"),)


def test_an_empty_result_is_no_sample() -> None:
    assert decode(_answer("matrix", [])) == ()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        _answer("string", [1, "a"]),
        _answer("matrix", {"a": 1}),
        _answer("matrix", [{"metric": {}, "values": [[1, "many"]]}]),
        _answer("matrix", [{"metric": {}, "values": [[1e300, "1"]]}]),
    ],
)
def test_what_is_no_answer_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)


def test_an_error_is_said() -> None:
    with pytest.raises(NotTheFormError, match="bad_data: parse error"):
        decode(b'{"status":"error","errorType":"bad_data","error":"parse error"}')


@given(st.integers(1, 60))
def test_a_cut_answer_is_truncated(cut: int) -> None:
    payload = _answer("matrix", [{"metric": {"a": "b"}, "values": [[1, "1"], [2, "2"]]}])

    with pytest.raises(TruncatedError):
        decode(payload[:cut])


@given(st.binary(max_size=200))
def test_any_bytes_are_samples_or_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError):
        decode(payload)
