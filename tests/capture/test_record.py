"""The clock of a source, as its Date header tells it."""

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from meshforensics.bundle import BundleWriter
from meshforensics.capture._ask import Ask
from meshforensics.capture._record import Clock, Recorder
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


def test_sealing_is_foreseen_from_the_plan(tmp_path: Path) -> None:
    told: list[float] = []
    recorder = Recorder(BundleWriter(str(tmp_path / "b")), Clock(), lambda _: None, 0.0)
    before = recorder.sealing
    recorder.planned = lambda: told.append(recorder.sealing)

    recorder.plan(Ask(kind="envoy.certs", subject=f"shop/web-{number}") for number in range(100))

    assert before == 0.0 < told[0] == recorder.sealing
