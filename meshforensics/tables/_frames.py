"""Small things to do with frames, the same for tables, checks and incidents."""

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import pandas as pd

from meshforensics.model import Window

_Numbers = np.ndarray[Any, Any]
ABSENT = pd.DataFrame()
"""Default of a parameter that names a table which need not have been captured."""


def text(series: "pd.Series[Any]") -> "pd.Series[str]":
    """The column as plain text; a missing value is empty. Categories become text too."""
    if isinstance(series.dtype, pd.StringDtype):
        return series.fillna("")
    if isinstance(series.dtype, pd.CategoricalDtype):  # by far the most asked for: one text per category, not per row
        names = series.cat.categories.astype("str").array
        made = names.take(series.cat.codes.to_numpy(), allow_fill=True, fill_value="")
        return pd.Series(made, index=series.index, name=series.name, copy=False)
    return series.astype("object").where(series.notna(), "").astype("str")


def texts(series: "pd.Series[Any]") -> list[str]:
    """The same as a list, which is far quicker to walk."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        names = np.append(series.cat.categories.to_numpy(dtype=object), "")  # the code of a missing one is -1: the last
        return cast("list[str]", names[series.cat.codes.to_numpy()].tolist())
    return cast("list[str]", text(series).to_numpy(dtype=object).tolist())


def true(series: "pd.Series[Any]", *, missing: bool) -> "pd.Series[bool]":
    """The column as plain booleans; a missing value is `missing`."""
    return series.astype("object").where(series.notna(), missing).astype(bool)


def ips_of(addresses: "pd.Series[Any]") -> "pd.Series[str]":
    """What stands before the port of each address, without the brackets of IPv6; a missing one is empty."""
    made: pd.Series[str] = text(addresses).str.rsplit(":", n=1).str[0].str.strip("[]")
    return made


def inside(frame: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The rows whose `at` lies in the window, both ends included."""
    return frame[(frame["at"] >= pd.Timestamp(window.start)) & (frame["at"] <= pd.Timestamp(window.end))]


def keys(frame: pd.DataFrame, *columns: str) -> list[tuple[str, ...]]:
    """The values of some columns as tuples of text, row by row."""
    return list(zip(*(texts(frame[column]) for column in columns), strict=True))


def numbered(frame: pd.DataFrame, *columns: str) -> tuple[_Numbers, list[tuple[str, ...]]]:
    """A number for each row, and the distinct values that the numbers stand for: for what is asked of each only once.

    The second list at a row's number is what ``keys`` says of the row; what is missing may stand there beside what is
    empty.
    """
    made = np.zeros(len(frame), dtype=np.int64)
    for column in columns:
        codes, names = _coded(frame[column])
        made = made * max(len(names), 1) + codes
    numbers, distinct = pd.factorize(made)
    firsts = np.full(len(distinct), len(frame))
    np.minimum.at(firsts, numbers, np.arange(len(frame)))
    return numbers, keys(frame.iloc[firsts], *columns)


def among(frame: pd.DataFrame, columns: list[str], others: pd.DataFrame, named: list[str]) -> _Numbers:
    """Of each row whether its values of `columns` are those of `named` in a row of `others`: quicker than by tuple."""
    mine, theirs = (np.zeros(len(each), dtype=np.int64) for each in (frame, others))
    for column, name in zip(columns, named, strict=True):
        (own, own_names), (its, its_names) = _coded(frame[column]), _coded(others[name])
        number = {each: place for place, each in enumerate(dict.fromkeys([*own_names, *its_names]))}
        mine = mine * len(number) + np.array([number[each] for each in own_names], dtype=np.int64)[own]
        theirs = theirs * len(number) + np.array([number[each] for each in its_names], dtype=np.int64)[its]
    return np.isin(mine, theirs)


def _coded(series: "pd.Series[Any]") -> tuple[_Numbers, list[str]]:
    """A number for each row, and the text that each number stands for; a missing value is empty."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        names = [*series.cat.categories.astype("str"), ""]
        return series.cat.codes.to_numpy(dtype=np.int64) % len(names), names  # a missing one is -1: the last
    numbers, distinct = pd.factorize(text(series))
    return numbers, [*distinct]


def places(frame: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """The place of each row, as evidence: ``(item, pointer)``."""
    return tuple((item, pointer) for item, pointer in keys(frame, "item", "pointer"))


def of_items(frame: pd.DataFrame, *kinds: str) -> pd.DataFrame:
    """The rows that were read from items whose id begins with one of these: a look at each item, not at each row."""
    items = frame["item"]
    names = items.cat.categories if isinstance(items.dtype, pd.CategoricalDtype) else items.dropna().unique()
    return frame[items.isin([name for name in names if str(name).startswith(kinds)])]


def where(frame: pd.DataFrame, mask: Iterable[bool]) -> pd.DataFrame:
    """The rows whose mask is true. A plain list would do, but an empty one selects no columns."""
    return frame[pd.Series(list(mask), index=frame.index, dtype=bool)]


def unlogged(spans: pd.DataFrame, access_log: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Of what was counted from `since` to `at`, that of the window, of proxies that logged no request in it.

    What was logged is judged by its lines: so nothing is counted twice.
    """
    recent = spans[(spans["since"] >= pd.Timestamp(window.start)) & (spans["at"] <= pd.Timestamp(window.end))]
    logged = set(keys(inside(access_log, window), "namespace", "pod")) if len(access_log) else set()
    return where(recent, (proxy not in logged for proxy in keys(recent, "namespace", "pod")))
