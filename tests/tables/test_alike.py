"""Like dumps share what is the same: each proxy's rows are those that its dump gives alone, read the plain way."""

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshforensics.formats.config_dump import Listing, ResourceStore
from meshforensics.tables import Tables
from meshforensics.testing import tables_of
from tests.conftest import ROOT
from tests.tables.reading import cells

REAL = (ROOT / "tests" / "data" / "envoy-1.40" / "config_dump.json").read_bytes()
OF_A_PROXY = (
    *("cluster_instances", "listener_instances", "route_instances", "secret_instances"),
    *("endpoints", "certificates", "rejections"),
)
DISTINCT = ("clusters", "listeners", "filter_chains", "routes", "virtual_hosts", "secrets")
_CASE = re.compile(r"_([a-z])")
Dump = dict[str, Any]


def _printed(dump: Dump) -> bytes:
    return json.dumps(dump, indent=1, ensure_ascii=False).encode()


def _changed(change: Callable[[Dump], object]) -> bytes:
    dump = json.loads(REAL)
    change(dump)
    return _printed(dump)


def _list(dump: Dump, name: str) -> list[Dump]:
    found: list[Dump] = next(section[name] for section in dump["configs"] if name in section)
    return found


def _versions(dump: Dump) -> None:
    for number, element in enumerate(_list(dump, "dynamic_active_clusters")):
        element["version_info"] = f"later/{number % 3}"


def _odd_times(dump: Dump) -> None:
    """Whole seconds, as one in a thousand is; nanoseconds; none; and what is no time."""
    for number, element in enumerate(_list(dump, "dynamic_active_clusters")):
        odd = ("2026-11-23T18:49:44Z", "2026-11-23T18:49:44.123456789Z", "", "2026-13-45T18:49:44.432Z")
        element["last_updated"] = odd[number % 4]
        if number % 5 == 0:
            del element["last_updated"]


def _refused(dump: Dump) -> None:
    error = {"details": "no such filter", "last_update_attempt": "2026-11-23T18:49:44.432Z"}
    _list(dump, "dynamic_listeners")[0]["error_state"] = error
    _list(dump, "dynamic_listeners").insert(1, {"name": "refused", "error_state": error})


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {_CASE.sub(lambda found: found.group(1).upper(), key): _camel(held) for key, held in value.items()}
    return [_camel(held) for held in value] if isinstance(value, list) else value


LIKE: dict[str, bytes] = {
    "the same": REAL,
    "later": REAL.replace(b'_updated": "2026-11-23T18', b'_updated": "2026-11-23T19'),
    "other versions": _changed(_versions),
    "odd times": _changed(_odd_times),
    "a cluster less": _changed(lambda dump: _list(dump, "dynamic_active_clusters").pop(3)),
    "an endpoint less": _changed(lambda dump: _list(dump, "dynamic_endpoint_configs").pop(1)),
    "a cluster twice": _changed(
        lambda d: _list(d, "dynamic_active_clusters").insert(5, _list(d, "static_clusters")[0])
    ),
    "clusters in another order": _changed(lambda dump: _list(dump, "dynamic_active_clusters").reverse()),
    "routes in another order": _changed(lambda dump: _list(dump, "dynamic_route_configs").reverse()),
    "sections in another order": _changed(lambda dump: dump["configs"].reverse()),
    "a refused listener": _changed(_refused),
    "camel case": _printed(_camel(json.loads(REAL))),
    "a map of sections": _changed(lambda d: d.update(configs={str(n): held for n, held in enumerate(d["configs"])})),
}


def _tables(dumps: dict[str, bytes]) -> Tables:
    return tables_of(*(("envoy.config_dump", pod, dump) for pod, dump in dumps.items()))


@cache
def _plain(dump: bytes) -> dict[str, list[tuple[object, ...]]]:
    """The rows of one dump alone, read the way that knows every shape."""
    with patch("meshforensics.formats.config_dump.scan", return_value=None):
        tables = _tables({"a/alone": dump})
        return {name: _rows(tables, name) for name in (*OF_A_PROXY, *DISTINCT)}


def _rows(tables: Tables, name: str, **equal: object) -> list[tuple[object, ...]]:
    own = {"pod", "subject_id", "captured_at", "item"}
    return cells(tables.frame(name), *(column for column in tables.frame(name).columns if column not in own), **equal)


def _agree(dumps: dict[str, bytes]) -> None:
    together = _tables(dumps)
    for name in OF_A_PROXY:
        for pod, dump in dumps.items():
            assert _rows(together, name, pod=pod.partition("/")[2]) == _plain(dump)[name], (name, pod)
    for name in DISTINCT:
        told = {row[:-1] for dump in dumps.values() for row in _plain(dump)[name]}
        assert sorted(map(str, told)) == sorted(str(row[:-1]) for row in _rows(together, name)), name


@pytest.mark.parametrize("like", LIKE.values(), ids=LIKE)
def test_a_like_dump_gives_the_rows_it_gives_alone(like: bytes) -> None:
    _agree({"a/first": REAL, "a/other": like, "a/third": like, "a/fourth": REAL})


@settings(max_examples=4, deadline=None)
@given(st.permutations(list(LIKE.values())))
def test_like_dumps_in_any_order_give_the_rows_they_give_alone(likes: list[bytes]) -> None:
    _agree({f"a/pod-{number}": like for number, like in enumerate(likes[:5])})


@settings(max_examples=6, deadline=None)
@given(st.integers(0, len(REAL) - 1), st.sampled_from([b"0", b"}", b'"', b"\n", b"Z", b"\xc3", b"a"]))
def test_a_dump_that_differs_in_one_byte_gives_the_rows_it_gives_alone(at: int, put: bytes) -> None:
    _agree({"a/first": REAL, "a/other": REAL[:at] + put + REAL[at + 1 :], "a/third": REAL})


def test_a_like_dump_is_compared_and_not_parsed() -> None:
    store = ResourceStore()
    store.decode(REAL)

    parts = list(store.decode(LIKE["later"]).parts("cluster"))

    assert all(isinstance(part, Listing) for part in parts)


def test_frames_name_nothing_that_their_rows_do_not_hold() -> None:
    frame = _tables({"a/first": REAL, "a/other": LIKE["a cluster less"]}).frame("cluster_instances")

    assert list(frame["name"].cat.categories) == list(dict.fromkeys(frame["name"]))
