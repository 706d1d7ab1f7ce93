"""The pages cannot lie: generated ones match the declarations, examples run, links lead somewhere."""

import re
from pathlib import Path

import pytest

import meshforensics as mf
from meshforensics.checks import declared_checks
from meshforensics.cli import cli
from meshforensics.importers import declared_importers
from meshforensics.incidents import declared_incidents
from meshforensics.profile import load_profile
from meshforensics.report import notebooks
from meshforensics.tables import declared_tables
from tools import examples, generate_docs

pytestmark = pytest.mark.usefixtures("untraced")

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*examples.pages(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "captures" / "README.md"]

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def headings(name: str) -> list[str]:
    """The headings of a page of docs/."""
    return re.findall(r"^#+ (.+)$", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("name", list(generate_docs.pages()))
def test_a_generated_page_has_not_drifted(name: str) -> None:
    path = ROOT / "docs" / name

    assert path.is_file(), "run make docs"
    assert path.read_text(encoding="utf-8") == generate_docs.pages()[name], "run make docs"


def test_every_command_table_check_and_incident_is_on_its_page() -> None:
    assert [name for name in cli.commands if name not in headings("cli.md")] == []
    assert [name for name in declared_tables() if name not in headings("tables.md")] == []
    assert [name for name in declared_checks() if name not in headings("checks.md")] == []
    incidents = (ROOT / "docs" / "incidents.md").read_text(encoding="utf-8")
    assert [name for name in declared_incidents() if f"`{name}`" not in incidents] == []


def test_every_importer_and_notebook_is_on_its_page() -> None:
    importers = (ROOT / "docs" / "importers.md").read_text(encoding="utf-8")
    assert [name for name in declared_importers() if name not in importers] == []
    written = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
    assert [name for name in notebooks() if f"{name}.ipynb" not in written] == []


def test_every_public_name_is_on_the_page_and_no_other() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")

    assert set(re.findall(r"`mf\.(\w+)`", page)) == set(mf.__all__)


def test_every_room_has_a_page_that_the_first_page_names() -> None:
    rooms = {path.parent.name for path in (ROOT / "meshforensics").glob("*/__init__.py")}
    pages = {room: {"investigation": "api"}.get(room, room) for room in rooms}
    first = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")

    assert [page for page in sorted(pages.values()) if f"]({page}.md)" not in first] == []
    assert "meshforensics.testing" in (ROOT / "docs" / "how-to-add.md").read_text(encoding="utf-8")


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]

    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@each_page
def test_what_a_console_example_shows_is_what_is_printed(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = page.read_text(encoding="utf-8")

    assert examples.refreshed(text) == text, "run make docs"


@each_page
def test_python_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    for number, example in enumerate(examples.python_examples(page.read_text(encoding="utf-8"))):
        exec(compile(example, f"{page.name}, example {number}", "exec"), {})


def test_some_examples_are_marked_as_running() -> None:
    marked = [path.name for path in examples.pages() if "<!-- runs -->" in path.read_text(encoding="utf-8")]

    assert {"README.md", "api.md"} <= set(marked)


def test_profiles_that_the_pages_name_exist() -> None:
    assert {load_profile(name).name for name in ("default", "guide")} == {"default", "guide"}
