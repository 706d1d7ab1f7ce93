"""The shipped captures, opened once for the tests of this room."""

from pathlib import Path

import pytest

from meshforensics.investigation import Investigation
from tests.conftest import Opened


@pytest.fixture(scope="session")
def upgrade(captures: Path, opened: Opened) -> Investigation:
    """A mesh after an upgrade: one listener rejected, one route without its cluster."""
    return opened(captures / "upgrade-503")


@pytest.fixture(scope="session")
def leak(captures: Path, opened: Opened) -> Investigation:
    """A series of twelve samples of four proxies."""
    return opened(captures / "memory-leak")
