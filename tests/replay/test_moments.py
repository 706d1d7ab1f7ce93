"""Time that stands, and time that passes."""

from datetime import timedelta
from typing import Any

import pytest

from meshforensics.model import UsageError
from meshforensics.replay import replay
from meshforensics.replay._moments import Moments
from tests.replay.evidence import AT, BEFORE, STEP, Client, changing, write

SHOP = "/api/v1/namespaces/shop/pods"


class Stopwatch:
    """A monotonic clock that moves by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def stopwatch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """The clock by which time passes in a replay."""
    made = Stopwatch()
    monkeypatch.setattr("meshforensics.replay._moments.monotonic", made)
    return made


def test_time_stands_where_nothing_else_is_said(stopwatch: Stopwatch) -> None:
    moments = Moments(write(), AT)
    first = moments.now()
    stopwatch.seconds += 3600

    assert (moments.at, list(moments.waits())) == (AT, [])
    assert moments.now() is first


def test_time_passes_at_its_speed_and_stands_at_the_end(stopwatch: Stopwatch) -> None:
    moments = Moments(changing(), AT + 2 * STEP, begin=AT, speed=4)

    seen = []
    for seconds in (0, 2, 1, 60):
        stopwatch.seconds += seconds
        seen.append((moments.at, moments.now().read("envoy.memory", "shop/web-0")))
    assert seen == [
        (AT, None),
        (AT + timedelta(seconds=8), b"0"),
        (AT + timedelta(seconds=12), b"0"),
        (AT + 2 * STEP, b"1"),
    ]


def test_the_clock_moves_where_nothing_else_does(stopwatch: Stopwatch) -> None:
    moments = Moments(changing(), AT + 2 * STEP, begin=AT)
    first = moments.now()
    stopwatch.seconds += 1
    second = moments.now()

    assert second.at == AT + timedelta(seconds=1)
    assert (second.version, second.shelves) == (first.version, first.shelves)
    assert second.shelves is first.shelves


def test_waits_lead_from_one_change_to_the_next(stopwatch: Stopwatch) -> None:
    seen = []
    for wait in Moments(changing(), AT + 2 * STEP, begin=AT, speed=2).waits():
        seen.append(wait)
        stopwatch.seconds += wait

    assert seen == [2.5, 2.5, 2.5, 2.5]


def test_a_version_leads_back_to_its_state(stopwatch: Stopwatch) -> None:
    moments = Moments(changing(), AT + 2 * STEP)

    state = moments.of_version(Moments(changing(), AT + STEP).now().version)

    assert state is not None
    assert state.at == AT + STEP
    assert [moments.of_version(said) for said in ("0", "x", "9" * 18, "9" * 30)] == [None] * 4


@pytest.mark.parametrize(
    ("begin", "end", "speed"),
    [
        pytest.param(AT, AT, 1, id="no-time"),
        pytest.param(AT, BEFORE, 1, id="backwards"),
        pytest.param(AT, None, 1, id="to-nobody-knows-when"),
        pytest.param(BEFORE, AT, 0, id="stands"),
        pytest.param(BEFORE, AT, float("nan"), id="no-number"),
    ],
)
def test_time_that_cannot_pass_is_refused(begin: Any, end: Any, speed: float) -> None:
    with pytest.raises(UsageError):
        Moments(write(), end, begin=begin, speed=speed)


def test_ages_and_dates_are_of_the_moment(stopwatch: Stopwatch) -> None:
    with replay(write(), at=AT, begin=BEFORE) as served:
        client = Client(served)
        before = client.ask("/version").date
        stopwatch.seconds += 300
        table = client.ask(SHOP, accept="application/json;as=Table;v=v1;g=meta.k8s.io").json
        after = client.ask("/version").date

    assert (before[-12:-4], after[-12:-4]) == ("18:40:00", "18:45:00")
    assert [row["cells"][4] for row in table["rows"]] == ["86m"]
