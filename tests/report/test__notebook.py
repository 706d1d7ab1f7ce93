"""Where a kernel is reached."""

import tempfile
from pathlib import Path

import pytest

from meshforensics.report import _notebook


@pytest.mark.parametrize(("length", "near"), [(10, None), (200, "/tmp")])
def test_a_long_temporary_folder_has_no_room_for_a_socket(
    length: int, near: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/" + "x" * length)

    assert _notebook._near() == (near if Path("/tmp").is_dir() else None)
