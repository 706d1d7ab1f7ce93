"""Lines that end are whole; the last one without an end was cut."""

import pytest

from meshforensics.formats._text_lines import instant, lines_pointer, whole_lines
from meshforensics.model import NotTheFormError


@pytest.mark.parametrize(
    ("payload", "lines"),
    [
        pytest.param(b"a\nb\n", [(1, "a"), (2, "b")], id="whole"),
        pytest.param(b"a\r\n\r\nb\r\nc", [(1, "a"), (2, ""), (3, "b")], id="cut-with-windows-ends"),
        pytest.param(b"only", [(1, "only")], id="only-line"),
        pytest.param(b"\xef\xbb\xbfa\xff\n", [(1, "a\ufffd")], id="mark-and-junk"),
        pytest.param("a\u2028b\x0bc\n".encode(), [(1, "a\u2028b\x0bc")], id="other-separators-are-text"),
    ],
)
def test_whole_lines(payload: bytes, lines: list[tuple[int, str]]) -> None:
    assert list(whole_lines(payload, what="a text")) == lines


@pytest.mark.parametrize("payload", [b"", b"\n", b" \r\n\t\n"])
def test_nothing_is_refused(payload: bytes) -> None:
    with pytest.raises(NotTheFormError, match="a text"):
        whole_lines(payload, what="a text")


def test_pointers() -> None:
    assert (lines_pointer(3, 3), lines_pointer(3, 5)) == ("L3", "L3-L5")


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("2018-09-28 22:25:19.784", "2018-09-28T22:25:19.784Z"),
        ("2018-09-28 22:25:19,784", "2018-09-28T22:25:19.784Z"),
        ("2018-09-28T22:25:19Z", "2018-09-28T22:25:19Z"),
        ("2018-09-28T22:25:19+02:00", "2018-09-28T22:25:19+02:00"),
        ("2018-09-28T22:25:19.5-0700", "2018-09-28T22:25:19.5-0700"),
    ],
)
def test_instants(printed: str, said: str) -> None:
    assert instant(printed) == said
