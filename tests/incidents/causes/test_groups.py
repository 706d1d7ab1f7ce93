"""Which versions and nodes grow, and whether chance explains it."""

import pandas as pd
import pytest

from meshforensics.incidents.causes.groups import fisher, grown_by_group
from meshforensics.testing import frame
from tests.incidents.cases import case
from tests.incidents.causes.memory import flat, memory, rising, rows, series


def _proxies(versions: list[str]) -> pd.DataFrame:
    count = len(versions)
    return frame(
        "proxies", namespace=["shop"] * count, pod=[f"p-{number}" for number in range(count)], version=versions,
        node=["worker-1"] * count,
    )  # fmt: skip


def test_the_version_that_grows_is_named_where_chance_does_not_explain_it() -> None:
    of = {f"p_{number}": rising if number < 5 else flat for number in range(10)}
    versions = ["1.29.0"] * 5 + ["1.28.1"] * 5

    found = grown_by_group(series(memory(**of), proxies=_proxies(versions)))
    by_group = rows(found, "group")

    assert {group: row["suspect"] for group, row in by_group.items()} == {
        "1.28.1": False,
        "1.29.0": True,
        "worker-1": False,
    }
    assert (by_group["1.29.0"]["growing"], by_group["1.29.0"]["followed"]) == (5, 5)
    assert pd.isna(by_group["worker-1"]["p"])


@pytest.mark.parametrize(
    ("growing", "of", "others", "of_others", "p"),
    [(4, 4, 0, 4, 1 / 70), (1, 1, 1, 1, 1.0), (0, 3, 3, 3, 1.0)],
)
def test_fisher(growing: int, of: int, others: int, of_others: int, p: float) -> None:
    assert fisher(growing, of, others, of_others) == pytest.approx(p)


def test_without_a_series_there_are_no_groups() -> None:
    assert grown_by_group(case(proxies=_proxies(["1.29.0"]))).empty
