"""The shipped captures open from anywhere, and never hide a file of the user's."""

from pathlib import Path

import pytest

from meshforensics.investigation import captures, shipped


def test_the_shipped_captures() -> None:
    assert list(captures()) == [
        "captures/ca-rotation",
        "captures/healthy",
        "captures/memory-leak",
        "captures/upgrade-503",
    ]
    assert [path for path in captures().values() if not (path / "manifest.json").is_file()] == []


@pytest.mark.parametrize("path", ["captures/healthy", "captures/healthy/"])
def test_a_short_path_leads_to_the_shipped_capture(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert shipped(path) == str(captures()["captures/healthy"])


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "captures" / "healthy").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    assert shipped("captures/healthy") == "captures/healthy"


@pytest.mark.parametrize("path", ["captures/nope", "healthy", "", "/captures/healthy"])
def test_any_other_path_stays_as_it_is(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert shipped(path) == path
