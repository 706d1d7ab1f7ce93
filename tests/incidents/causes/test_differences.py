"""What changed in the configuration, on the shipped capture of an upgrade."""

from pathlib import Path

import pandas as pd
import pytest

from meshforensics.incidents import Case
from meshforensics.incidents.causes.differences import captured_once, changed_resources
from tests.conftest import Opened
from tests.incidents.cases import case


@pytest.fixture(scope="module")
def upgraded(captures: Path, opened: Opened) -> Case:
    """The shipped upgrade."""
    held = opened(captures / "upgrade-503")
    return Case(source=held, profile=held.profile, at=held.at, window=held.window)


def test_what_changed_in_meaning_is_told_by_object(upgraded: Case) -> None:
    found = changed_resources(upgraded)

    told = found[["kind", "name", "change", "object", "proxies"]].to_numpy().tolist()
    assert told[0] == [
        "cluster",
        "outbound|8000|v4|menu.bank.svc.cluster.local",
        "removed",
        "DestinationRule:bank/menu",
        ("bank/desk-v3-4jr6bvk7s-twkpk",),
    ]
    assert len(told) == 2


def test_what_a_proxy_refused_is_told_by_what_differs(upgraded: Case) -> None:
    found = changed_resources(upgraded)

    (refused,) = found[found["change"] == "refused"].to_dict("records")
    assert str(refused["path"]).endswith("http_filters[istio.filters.http.peer_metadata_v2]")
    assert (pd.isna(refused["before"]), refused["after"]) == (True, "there, 4 fields")


def test_a_proxy_that_was_captured_once_is_named(upgraded: Case) -> None:
    once = captured_once(upgraded)

    assert len(once) == 7
    assert "bank/desk-v3-4jr6bvk7s-twkpk" not in once


def test_without_dumps_nothing_changed_that_is_known() -> None:
    assert changed_resources(case()).empty
    assert captured_once(case()) == ()
