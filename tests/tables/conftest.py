"""The shipped captures, opened once for the tests of this room."""

from pathlib import Path

import pytest

from meshforensics.investigation import Investigation, open_evidence


@pytest.fixture(scope="session")
def upgrade(captures: Path) -> Investigation:
    """A mesh after an upgrade: one listener rejected, one route without its cluster."""
    return open_evidence(captures / "upgrade-503")


@pytest.fixture(scope="session")
def leak(captures: Path) -> Investigation:
    """A series of twelve samples of four proxies."""
    return open_evidence(captures / "memory-leak")
