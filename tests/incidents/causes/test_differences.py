"""What changed in the configuration, on the shipped capture of an upgrade."""

from pathlib import Path

import pytest

from meshforensics.incidents import Case
from meshforensics.incidents.causes.differences import captured_once, changed_resources
from meshforensics.investigation import open_evidence
from tests.incidents.cases import case


@pytest.fixture(scope="module")
def upgraded(captures: Path) -> Case:
    """The shipped upgrade."""
    opened = open_evidence(captures / "upgrade-503")
    return Case(source=opened, profile=opened.profile, at=opened.at, window=opened.window)


def test_what_changed_in_meaning_is_told_by_object(upgraded: Case) -> None:
    found = changed_resources(upgraded)

    told = found[["kind", "name", "change", "object", "proxies"]].to_numpy().tolist()
    assert told[0] == [
        "cluster",
        "outbound|8080|v2|search.travel.svc.cluster.local",
        "removed",
        "DestinationRule:travel/search",
        ("travel/web-v1-zbgtfcww9-9ns8s",),
    ]
    assert len(told) == 2


def test_what_a_proxy_refused_is_told_by_the_value_that_it_refused(upgraded: Case) -> None:
    found = changed_resources(upgraded)

    (refused,) = found[found["change"] == "refused"].to_dict("records")
    assert str(refused["path"]).endswith("typed_config.token_bucket.fill_interval")
    assert (refused["before"], refused["after"]) == ("1s", "0.010s")


def test_a_proxy_that_was_captured_once_is_named(upgraded: Case) -> None:
    once = captured_once(upgraded)

    assert len(once) == 7
    assert "travel/web-v1-zbgtfcww9-9ns8s" not in once


def test_without_dumps_nothing_changed_that_is_known() -> None:
    assert changed_resources(case()).empty
    assert captured_once(case()) == ()
