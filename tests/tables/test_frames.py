"""Small things to do with frames."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.tables import among, keys, numbered, of_items
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


_NAMES = st.sampled_from(["", "a", "b", "a|b", "é", None])
_ROWS = st.lists(st.tuples(_NAMES, _NAMES), max_size=12)
_KINDS = st.sampled_from(["category", "str", "object"])


@given(mine=_ROWS, theirs=_ROWS, kinds=st.tuples(_KINDS, _KINDS))
def test_rows_are_found_among_others_and_numbered_as_their_tuples_would_be(
    mine: list[tuple[str | None, ...]], theirs: list[tuple[str | None, ...]], kinds: tuple[str, str]
) -> None:
    own = pd.DataFrame(mine, columns=["x", "y"]).astype(pd.api.types.pandas_dtype(kinds[0]))
    others = pd.DataFrame(theirs, columns=["u", "v"]).astype(pd.api.types.pandas_dtype(kinds[1]))

    found = among(own, ["x", "y"], others, ["u", "v"])
    numbers, distinct = numbered(own, "x", "y")

    known = set(keys(others, "u", "v"))
    assert found.tolist() == [each in known for each in keys(own, "x", "y")]
    assert [distinct[number] for number in numbers] == keys(own, "x", "y")
    assert len(distinct) <= len(set(mine))
