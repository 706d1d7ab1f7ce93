"""The clock of a source, as its Date header tells it."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from meshforensics.capture._record import Clock
from meshforensics.model import now


def test_a_clock_ten_minutes_off_is_known_and_times_are_by_it() -> None:
    clock = Clock()

    clock.learn(format_datetime(now() + timedelta(minutes=10), usegmt=True), "API server")

    assert abs(clock.at() - now() - timedelta(minutes=10)) < timedelta(seconds=5)
    assert clock.source == "API server"
    assert clock.said.startswith("the clock of the API server is +")


@pytest.mark.parametrize("date", ["", "yesterday", "now"])
def test_a_clock_that_is_not_told_or_is_like_ours_is_ours(date: str) -> None:
    clock = Clock()

    clock.learn(format_datetime(now(), usegmt=True) if date == "now" else date, "API server")

    assert (clock.skew, clock.source, clock.said) == (timedelta(0), "clock", "")
