"""Analysis: messages of istioctl analyze."""

from pathlib import Path

from meshforensics.investigation import Investigation
from tests.conftest import Opened
from tests.tables.reading import cells


def test_real_messages(corpus: Path, opened: Opened) -> None:
    case = opened(corpus / "bugreport" / "istio_2023-09" / "bug-report")
    messages = case.frame("analysis")

    assert len(messages) == 19
    assert cells(messages, "level", "object", code="IST0107") == [("Warning", "Deployment:default/httpbin")]


def test_without_a_report_it_says_so(upgrade: Investigation) -> None:
    assert (upgrade.frame("analysis").empty, upgrade.reason("analysis")) == (True, "not captured: analysis")
