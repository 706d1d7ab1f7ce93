"""Bound listeners, awaited targets and runtime keys."""

from pathlib import Path

import pandas as pd

from meshforensics.tables.admin import bound_listeners, init_targets, runtime_keys
from meshforensics.testing import rows_of, tables_of

DATA = Path(__file__).parents[1] / "data/admin-1.40"


def test_bound_listeners() -> None:
    rows = rows_of(bound_listeners, (DATA / "listeners").read_bytes(), kind="envoy.listeners")

    assert rows[-1] == (
        *("shop", "web-1", pd.NaT, "virtualInbound", "0.0.0.0:15006"),
        *("envoy.listeners:shop/web-1@unknown", "L4"),
    )


def test_awaited_targets() -> None:
    payload = b'{"unready_targets_dumps": [{"name": "init manager Server", "target_names": ["LDS"]}]}'

    assert rows_of(init_targets, payload, kind="envoy.init_dump") == [
        (
            *("shop", "web-1", pd.NaT, "Server", "LDS"),
            *("envoy.init_dump:shop/web-1@unknown", "/unready_targets_dumps/0/target_names/0"),
        )
    ]


def test_nothing_awaited_is_captured_and_empty() -> None:
    tables = tables_of(("envoy.init_dump", "shop/web-1", b"{}"))

    assert (len(tables.frame("init_targets")), tables.state("init_targets").captured) == (0, True)


def test_runtime_keys() -> None:
    rows = rows_of(runtime_keys, (DATA / "runtime").read_bytes(), kind="envoy.runtime")

    assert rows[-1] == (
        *("shop", "web-1", pd.NaT, "re2.max_program_size.error_level", "32768", "global config"),
        *("envoy.runtime:shop/web-1@unknown", "/entries/re2.max_program_size.error_level"),
    )
