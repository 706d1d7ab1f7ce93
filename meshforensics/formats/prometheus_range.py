"""Answers of Prometheus ``/api/v1/query_range`` and ``/api/v1/query``: samples with exact times."""

import math
from datetime import UTC, datetime
from typing import Any

import msgspec

from meshforensics.formats._json import decode_json
from meshforensics.model import NotTheFormError

_WHAT = "an answer of Prometheus"


class Sample(msgspec.Struct, frozen=True):
    """One value of one series; `real` is None where Prometheus says NaN."""

    labels: dict[str, str]
    at: datetime
    real: float | None
    pointer: str


class _Series(msgspec.Struct):
    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []
    value: tuple[float, str] | None = None


class _Data(msgspec.Struct, rename="camel"):
    result_type: str
    result: msgspec.Raw


class _Answer(msgspec.Struct, rename="camel"):
    status: str
    data: _Data | None = None
    error: str = ""
    error_type: str = ""


def decode(payload: bytes) -> tuple[Sample, ...]:
    """Every sample of a matrix, vector or scalar, in order.

    Raises:
        TruncatedError: the document ends before it is complete.
        NotTheFormError: it is no such answer, or the answer is an error.
    """
    answer = decode_json(payload, _Answer, what=_WHAT)
    if answer.data is None:
        raise NotTheFormError(f"Prometheus answered {answer.error_type or answer.status}: {answer.error}")
    try:
        if answer.data.result_type in {"matrix", "vector"}:
            return _series(msgspec.json.decode(answer.data.result, type=list[_Series]))
        if answer.data.result_type == "scalar":
            pair = msgspec.json.decode(answer.data.result, type=tuple[float, str])
            return (_sample({}, pair, "/data/result"),)
    except msgspec.DecodeError as error:
        raise NotTheFormError(f"not {_WHAT}: {error}") from error
    raise NotTheFormError(f"not {_WHAT} with samples: its result is a {answer.data.result_type[:20]}")


def _series(found: list[_Series]) -> tuple[Sample, ...]:
    made: list[Sample] = []
    for index, one in enumerate(found):
        base = f"/data/result/{index}"
        made.extend(_sample(one.metric, pair, f"{base}/values/{at}") for at, pair in enumerate(one.values))
        if one.value is not None:
            made.append(_sample(one.metric, one.value, f"{base}/value"))
    return tuple(made)


def _sample(labels: dict[str, str], pair: Any, pointer: str) -> Sample:
    seconds, text = pair
    try:
        value = float(text)
        at = datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise NotTheFormError(f"not {_WHAT}: {pointer} is {text[:20]!r} at {seconds}") from error
    return Sample(labels=labels, at=at, real=None if math.isnan(value) else value, pointer=pointer)
