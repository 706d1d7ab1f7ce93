"""The triage as Markdown: captured text never becomes markup."""

from meshforensics.model import Standing
from meshforensics.profile import load_profile
from meshforensics.report.triage_json import UNDETERMINED
from meshforensics.report.triage_markdown import triage_markdown
from tests.report.stand_in import finding, hypothesis
from tests.report.test_triage_json import stand_in


def test_the_whole_page() -> None:
    told = stand_in(findings=(finding(),))

    row = "| critical | `traffic.server-errors` | search to pricing: 20 of 60 calls failed | 0.333 ratio | 0.05 ratio "
    assert triage_markdown(told, "x.zip").splitlines() == [
        "# ca-rotation supported",
        "",
        f"As of 2026-01-01T12:00:00Z, bundle `37a472112e8d3557`, profile default (`{load_profile().sha256[:16]}`).",
        "",
        "The root CA was replaced without an overlap. search refuses pricing.",
        "",
        "**Impact**: 20 of 60 calls to pricing.shop.svc.cluster.local failed.",
        "",
        "- 2 sets of roots share none",
        "",
        "**Next**: Give every proxy both roots.",
        "",
        "## Findings",
        "",
        "| severity | check | finding | observed | limit | subjects |",
        "|---|---|---|---|---|---|",
        f"{row}| 1 |",
        "",
        "## Ruled out",
        "",
        "- leaf-expired: 4 of 4 leaves are valid",
        "",
        "## Not captured",
        "",
        "- envoy.memory of shop/seats-1: failed timeout",
        "- `metrics.growth` not evaluated: not captured: samples",
        "",
        "`meshforensics report x.zip -o report/`",
    ]


def test_captured_text_stays_text() -> None:
    hostile = "a|b <script>x</script> [l](http://x) **b** `c`\n# d \x1b[2J"

    page = triage_markdown(stand_in(findings=(finding(detail=hostile),)), "x.zip")

    row = next(line for line in page.splitlines() if line.startswith("| critical"))
    assert row.split(" | ")[2] == (
        "a\\|b \\<script\\>x\\</script\\> \\[l\\](http://x) \\*\\*b\\*\\* \\`c\\` \\# d \\\\x1b\\[2J"
    )


def test_undetermined_and_without_findings() -> None:
    page = triage_markdown(stand_in(hypotheses=(hypothesis(status=Standing.UNDETERMINED),), findings=()), "x.zip")

    lines = page.splitlines()
    assert (lines[0], lines[4]) == ("# undetermined", UNDETERMINED)
    assert "No finding." in lines
    assert "Nothing was ruled out." in lines
