"""Memory over a series: measures side by side, the guide's rule, the trend, the kind of growth, the limit."""

import pandas as pd
import pytest

from meshforensics.incidents.causes.series import change_point, guide_rule, held, robust_rule, time_to_limit
from meshforensics.testing import frame
from tests.incidents.cases import NOON, case
from tests.incidents.causes.memory import MIB, SAMPLES, flat, memory, piled_up, rising, rows, series, times


def _container(limit: int | None) -> pd.DataFrame:
    return frame("containers", namespace=["shop"], pod=["web-1"], container=["istio-proxy"], memory_limit_bytes=[limit])


def test_measures_stand_side_by_side_and_each_has_its_place() -> None:
    usage = frame(
        "usage", namespace=["shop"], pod=["web-1"], container=["istio-proxy"], memory_bytes=[70 * MIB],
        captured_at=[pd.Timestamp(NOON) + pd.Timedelta("5s")], item=["foreign.top-pods:-@x"], pointer=["L2"],
    )  # fmt: skip

    found = held(series(memory(web_1=rising), usage=usage, containers=_container(512 * MIB)))

    last = found.iloc[-1]
    assert [last[name] / MIB for name in ("allocated", "heap", "free", "physical", "working_set", "limit")] == [
        65, 69, 1, 73, 70, 512,
    ]  # fmt: skip
    assert (last["usage_item"], last["usage_pointer"]) == ("foreign.top-pods:-@x", "L2")
    assert found["working_set"].notna().sum() == 1


def test_without_memory_nothing_is_held() -> None:
    assert held(case()).empty
    assert guide_rule(case()).empty
    assert robust_rule(case()).empty
    assert time_to_limit(case()).empty


def _guided(growth_mib: int, *, minutes: int, falls: bool = False) -> dict[str, object]:
    count = 6
    at = [pd.Timestamp(NOON) - pd.Timedelta(minutes=minutes * (count - 1 - number)) for number in range(count)]
    live = [
        100 * MIB + number * growth_mib * MIB - (MIB * 50 if falls and number == 3 else 0) for number in range(count)
    ]
    samples = frame("memory", namespace=["shop"] * count, pod=["web-1"] * count, captured_at=at, allocated=live)
    return dict(guide_rule(series(samples)).iloc[0])


@pytest.mark.parametrize(
    ("growth_mib", "minutes", "falls", "leaks"),
    [
        pytest.param(13, 5, False, True, id="over-ten-a-sample"),
        pytest.param(12, 5, False, False, id="ten-a-sample-is-not-over"),
        pytest.param(40, 5, True, False, id="one-fall-hides-it"),
        pytest.param(40, 20, False, None, id="too-few-in-the-hour"),
    ],
)
def test_the_guides_rule(growth_mib: int, minutes: int, falls: bool, leaks: bool | None) -> None:
    assert _guided(growth_mib, minutes=minutes, falls=falls)["leaks"] == leaks


def test_the_guide_takes_a_dump_over_400_mib() -> None:
    assert [bool(_guided(growth, minutes=5)["dumps"]) for growth in (60, 61)] == [False, True]


def test_a_trend_has_an_interval_and_a_kind() -> None:
    found = robust_rule(series(memory(web_1=rising, pay_1=flat), piled_up()))

    by_proxy = rows(found, "proxy")
    assert {proxy: row["kind"] for proxy, row in by_proxy.items()} == {"shop/web-1": "leak", "shop/pay-1": "flat"}
    assert by_proxy["shop/web-1"]["why"] == "pile-up of unfinished requests"
    assert round(by_proxy["shop/web-1"]["slope"] / MIB) == 15
    assert by_proxy["shop/web-1"]["slope_low"] <= by_proxy["shop/web-1"]["slope_high"]
    assert found["enough"].to_list() == [True, True]


def test_growth_whose_drivers_were_not_captured_is_no_leak_yet() -> None:
    found = robust_rule(series(memory(web_1=rising)))

    assert found["kind"].to_list() == ["growth"]


def test_a_change_of_rate_is_found_where_it_was() -> None:
    values = [10.0 + 0.1 * number for number in range(6)] + [10.5 + 5 * number for number in range(1, SAMPLES - 5)]

    found = change_point(pd.Series(values, index=pd.DatetimeIndex(times())))

    assert found["changed_at"] == times()[5]
    assert found["rate_before"] < found["rate_after"]
    assert found["change_p"] < 0.05


def test_an_even_rise_has_no_change_point() -> None:
    assert change_point(pd.Series([1.0] * SAMPLES, index=pd.DatetimeIndex(times()))) == {}


def test_the_time_to_the_limit_has_an_interval_and_none_without_a_limit() -> None:
    (limited,) = rows(
        time_to_limit(series(memory(web_1=rising), piled_up(), containers=_container(73 * MIB + 15 * MIB))), "proxy"
    ).values()
    unlimited = time_to_limit(series(memory(web_1=rising), piled_up()))

    assert round(limited["seconds"]) == 3600
    assert limited["soonest"] <= limited["seconds"] <= limited["latest"]
    assert unlimited["limit"].isna().all()
    assert unlimited["seconds"].isna().all()
