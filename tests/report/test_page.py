"""The page in a real browser: no network, no errors, evidence opens, captured text stays text."""

import html
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from meshforensics.report import Written, sections
from tests.report.stand_in import case

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("untraced")]


def _open(browser: Browser, page_file: Path, **options: object) -> tuple[Page, list[str], list[str]]:
    page = browser.new_page(**options)  # type: ignore[arg-type]
    asked: list[str] = []
    said: list[str] = []

    def on_request(request: Request) -> None:
        asked.append(request.url)

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(page_file.resolve().as_uri())
    page.wait_for_load_state("networkidle")
    return page, asked, said


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 800}}])
def test_it_renders_without_network_and_without_errors(
    browser: Browser, report: Written, options: dict[str, object]
) -> None:
    page, asked, said = _open(browser, report.html, **options)

    assert asked == [report.html.resolve().as_uri()]
    assert said == []
    assert page.locator("h1").count() == 1
    assert "The root CA was replaced without an overlap" in page.locator("h1").inner_text()
    page.close()


def test_evidence_opens_in_place(browser: Browser, report: Written) -> None:
    page, _, said = _open(browser, report.html)
    evidence = page.locator("details", has=page.locator("mark")).last
    before = evidence.locator("mark").first.is_visible()

    evidence.locator("summary").first.click()

    assert (before, evidence.locator("mark").first.is_visible()) == (False, True)
    assert said == []
    page.close()


def test_every_figure_has_words(browser: Browser, report: Written) -> None:
    page, _, _ = _open(browser, report.html)

    silent = page.evaluate(
        "[...document.querySelectorAll('svg[role=img], img')].filter(e => e.tagName === 'IMG'"
        " ? !e.alt : !e.querySelector('title')?.textContent || !e.querySelector('desc')?.textContent).length"
    )

    assert page.locator("svg[role=img], img").count() > 0
    assert silent == 0
    page.close()


def test_captured_markup_stays_text(browser: Browser, hostile: Written) -> None:
    page, asked, said = _open(browser, hostile.html)

    assert page.evaluate("window.attacked") is None
    assert "<script>window.attacked" in html.unescape(page.content())
    assert page.locator("script").count() <= 1
    assert [url for url in asked if not url.startswith("file:")] == []
    assert said == []
    page.close()


def test_filters_count_findings_and_hide_the_others(browser: Browser, report: Written) -> None:
    page, _, _ = _open(browser, report.html)
    rows = page.locator(".find > tbody > tr.r")
    total = rows.count()
    counted = page.locator("[data-count]")
    before = counted.inner_text()

    page.locator("[data-filter=severity]").select_option("error")

    errors = page.locator(".find > tbody > tr.r[data-severity=error]").count()
    assert 0 < errors < total
    assert before == f"{total} of {total} findings"
    assert counted.inner_text() == f"{errors} of {total} findings"
    assert rows.locator("visible=true").count() == errors
    page.close()


def test_the_verdict_leads_to_findings_that_it_rests_on(browser: Browser, report: Written) -> None:
    page, _, _ = _open(browser, report.html)

    targets = page.locator("#verdict a").evaluate_all("links => links.map(link => link.getAttribute('href'))")

    assert targets != []
    for target in targets:
        assert "The verdict rests on it." in page.locator(target).inner_text()
    page.close()


def test_a_table_of_a_notebook_keeps_its_look_beside_the_style_of_jupyterlab(browser: Browser) -> None:
    """The rules are JupyterLab's own of packages/rendermime/style/base.css."""
    theirs = (
        ":not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon td { text-align: right; vertical-align: middle; }"
        ".jp-RenderedHTMLCommon table { table-layout: fixed; }"
    )
    page = browser.new_page()

    page.set_content(
        f'<style>{theirs}</style><div class="jp-RenderedHTMLCommon">{sections.coverage(case())._repr_html_()}</div>'
    )
    looks = page.locator("td:not(.num)").first.evaluate(
        "cell => [getComputedStyle(cell).textAlign, getComputedStyle(cell).verticalAlign,"
        " getComputedStyle(cell.closest('table')).tableLayout]"
    )
    page.close()

    assert looks == ["left", "top", "auto"]
