"""Fixtures that every test may use: where the real captures lie."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"needs ../shared/{name}, which is not beside this clone")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    """Real captures of real incidents, with their ground truth."""
    return _folder("captures-examples")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Public captures of many ages, with provenance; never committed here."""
    return _folder("corpus")


@pytest.fixture(scope="session")
def captures() -> Path:
    """The bundles that the project ships."""
    return ROOT / "captures"
