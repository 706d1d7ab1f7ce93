"""Webhooks: service, failure policy, revision, whether there is a CA bundle."""

from pathlib import Path

from meshforensics.investigation import Investigation
from tests.conftest import Opened
from tests.tables.reading import cells


def test_real_webhooks(corpus: Path, opened: Opened) -> None:
    case = opened(corpus / "bugreport" / "istio_2023-09_bug-report.tar.gz")

    assert len(case.frame("webhooks")) == 13
    assert {tag for (tag,) in cells(case.frame("webhooks"), "tag")} == {None}
    assert {"Fail", "Ignore"} >= {each for (each,) in cells(case.frame("webhooks"), "failure_policy")}


def test_captured_and_empty_is_not_missing(upgrade: Investigation) -> None:
    assert (upgrade.frame("webhooks").empty, upgrade.reason("webhooks")) == (True, "")
