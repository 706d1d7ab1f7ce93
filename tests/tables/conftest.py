"""Bug-reports of two labelled incidents, opened once for the tests of this room."""

from pathlib import Path

import pytest

from meshforensics.investigation import Investigation
from tests.conftest import Opened


@pytest.fixture(scope="session")
def upgrade(examples: Path, opened: Opened) -> Investigation:
    """A mesh after an upgrade: one listener rejected, one route without its cluster."""
    return opened(tuple(examples / "05-upgrade-503" / part for part in ("before", "during")))


@pytest.fixture(scope="session")
def leak(examples: Path, opened: Opened) -> Investigation:
    """A series of twelve samples of four proxies."""
    return opened(tuple(examples / "11-memory-connection-pileup" / part for part in ("during", "series")))
