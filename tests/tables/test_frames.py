"""Small things to do with frames."""

import pandas as pd
import pytest

from meshforensics.tables import of_items
from meshforensics.testing import frame

ITEMS = ["istiod.metrics:a/b@unknown", "envoy.stats:a/c@unknown", "istiod.metrics:a/d@unknown"]


@pytest.mark.parametrize(
    ("rows", "kinds", "taken"),
    [
        pytest.param(frame("stats", item=ITEMS), ("istiod.metrics",), [0, 2], id="categories"),
        pytest.param(frame("stats", item=ITEMS), ("istiod.", "envoy."), [0, 1, 2], id="any-of-several"),
        pytest.param(pd.DataFrame({"item": ITEMS}), ("envoy.",), [1], id="plain-texts"),
        pytest.param(frame("stats", item=[]), ("istiod.metrics",), [], id="no-rows"),
    ],
)
def test_of_items(rows: pd.DataFrame, kinds: tuple[str, ...], taken: list[int]) -> None:
    assert of_items(rows, *kinds).index.tolist() == taken
