import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.importers import _limits
from meshforensics.importers._limits import most_unpacked, refuse_large, refuse_many, safe_name
from meshforensics.model import SourceError


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        pytest.param("a/b", "a/b", id="plain"),
        pytest.param("./a//b/.", "a/b", id="dots-and-slashes-that-mean-nothing"),
        pytest.param("a/config_dump?include_eds", "a/config_dump?include_eds", id="question-mark"),
        pytest.param("a\\b\\c", "a/b/c", id="backslashes-part-folders"),
        pytest.param("a\nb", "a\ufffdb", id="control-characters-are-spelled-out"),
        pytest.param("caf\udce9", "caf\ufffd", id="latin-1-bytes"),
    ],
)
def test_safe_name(name: str, safe: str) -> None:
    assert safe_name("x.tar", name) == safe


@pytest.mark.parametrize("name", ["/etc/passwd", "../a", "a/../../b", "C:/a", "a\\..\\..\\b", "\\\\host\\a", "", "."])
def test_names_that_lead_out_are_refused_by_name(name: str) -> None:
    with pytest.raises(SourceError) as caught:
        safe_name("x.tar", name)

    assert str(caught.value).startswith(f"x.tar: member {name!r} leads out")


@given(st.text())
def test_no_name_leads_out(name: str) -> None:
    try:
        safe = safe_name("x", name)
    except SourceError:
        return
    assert safe
    assert not safe.startswith("/")
    assert ".." not in safe.split("/")


@pytest.mark.parametrize(
    ("size", "most"),
    [
        pytest.param(1, 256 * 1024**2, id="a-small-archive-may-hold-some"),
        pytest.param(2 * 1024**2, 500 * 1024**2, id="so-many-times-its-size"),
        pytest.param(10 * 1024**3, 8 * 1024**3, id="never-more-than-all"),
    ],
)
def test_most_unpacked(size: int, most: int) -> None:
    assert most_unpacked(size) == most


def test_too_large_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_limits, "LARGEST_MEMBER", 10)
    monkeypatch.setattr(_limits, "MOST_MEMBERS", 2)

    refuse_large("x", "a", 10)
    refuse_many("x", 2)
    with pytest.raises(SourceError, match="x: a is larger than 10 bytes"):
        refuse_large("x", "a", 11)
    with pytest.raises(SourceError, match="x has more than 2 files"):
        refuse_many("x", 3)
