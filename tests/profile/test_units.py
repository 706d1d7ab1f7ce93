"""Units convert into others of their kind only."""

import pytest

from meshforensics.model import UsageError
from meshforensics.profile._units import convertible, factor


@pytest.mark.parametrize(
    ("unit", "into", "share"),
    [
        ("s", "s", 1),
        ("h", "s", 3600),
        ("MB", "bytes", 1e6),
        ("%", "ratio", 0.01),
        ("MiB/h", "bytes/h", 2**20),
        ("cores", "millicores", 1000),
    ],
)
def test_factor(unit: str, into: str, share: float) -> None:
    assert factor(unit, into, (), "x") == pytest.approx(share)


@pytest.mark.parametrize(("unit", "into"), [("bytes", "s"), ("bytes", "bytes/h"), ("days", "requests"), ("", "s")])
def test_what_measures_something_else_is_refused(unit: str, into: str) -> None:
    with pytest.raises(UsageError, match="is no unit of it"):
        factor(unit, into, (), "x")


def test_convertible_begins_with_itself() -> None:
    assert convertible("requests") == ["requests"]
    assert convertible("s")[0] == "s"
    assert "MiB/days" in convertible("bytes/h")
