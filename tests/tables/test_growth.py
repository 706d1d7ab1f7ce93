"""Growth: trends over a series, and what grows with them."""

import pandas as pd
import pytest

from meshforensics.investigation import Investigation
from meshforensics.tables.growth import _correlation, _fell
from tests.tables.reading import cells


def test_who_grows_and_who_does_not(leak: Investigation) -> None:
    columns = ("pod", "samples", "first_bytes", "last_bytes", "rises")

    assert cells(leak.over_time("growth"), *columns) == [
        ("seats-v1-c49cvfc48-z44rb", 12, 7834016, 83360576, True),
        ("booking-v1-qkd7rw5nn-rgkqj", 12, 8396408, 93035776, True),
        ("search-v1-8tp7tcpsp-hfbpq", 12, 20742104, 20984976, False),
        ("web-v1-ps5wkm5dt-k66f6", 12, 8697048, 10453696, False),
    ]


def test_requests_that_stay_open_are_told_from_those_that_end(leak: Investigation) -> None:
    shares = {str(pod): share for pod, share in cells(leak.over_time("growth"), "pod", "unfinished_share")}

    assert [pod for pod, share in shares.items() if isinstance(share, float) and share > 0.9] == [
        "seats-v1-c49cvfc48-z44rb",
        "booking-v1-qkd7rw5nn-rgkqj",
    ]


def test_one_sample_has_no_trend(upgrade: Investigation) -> None:
    assert upgrade.frame("growth").empty


def _series(*values: float, late_s: float = 0.0) -> "pd.Series[float]":
    """A value every ten seconds, `late_s` after the full ten."""
    start = pd.Timestamp("2026-01-01T12:00:00Z") + pd.Timedelta(seconds=late_s)
    return pd.Series(values, index=pd.date_range(start, periods=len(values), freq="10s"), dtype=float)


@pytest.mark.parametrize(
    ("driver", "correlation"),
    [
        pytest.param(_series(1, 2, 3, 4, late_s=0.3), 1.0, id="asked-for-a-moment-later"),
        pytest.param(_series(1, 2, 3, 4, late_s=600), None, id="of-another-time"),
        pytest.param(_series(1, 2), None, id="too-few-to-tell"),
        pytest.param(_series(100, 101, 102, 103), 0.0, id="hardly-varies"),
        pytest.param(None, None, id="not-known"),
    ],
)
def test_a_driver_is_compared_with_the_nearest_sample(
    driver: "pd.Series[float] | None", correlation: float | None
) -> None:
    found = _correlation(_series(10, 20, 30, 40), driver)

    assert found == (None if correlation is None else pytest.approx(correlation))


@pytest.mark.parametrize(
    ("values", "fell"),
    [((1, 5, 9), 0.0), ((1, 9, 1), 1.0), ((1, 9, 5), 0.5), ((5, 5, 5), 0.0), ((9, 5, 1), 0.0)],
    ids=["only-rises", "comes-down", "half", "flat", "only-falls"],
)
def test_how_much_of_a_rise_was_given_back(values: tuple[float, ...], fell: float) -> None:
    assert _fell(_series(*values)) == fell
