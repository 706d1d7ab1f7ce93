"""Captured text for a terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.report.plain_text import brief, plain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m", id="colour"),
        pytest.param("a\rb\tc\x07", "a\\x0db\\x09c\\x07", id="control"),
        pytest.param("\x9b2J", "\\x9b2J", id="c1"),
        pytest.param("two\nlines\u2028", "two\\x0alines\\u2028", id="ends-of-lines"),
        pytest.param("a\u202egnp.exe", "a\\u202egnp.exe", id="direction"),
        pytest.param("5 → é", "5 → é", id="text-stays"),
    ],
)
def test_plain(text: str, said: str) -> None:
    assert plain(text) == said


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    for said in (plain(text), brief(text)):
        assert [sign for sign in said if ord(sign) < 0x20 or 0x7F <= ord(sign) < 0xA0] == []
        assert len(said.splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("root " + "5c443ed1" * 5 + ".", "root 5c443ed1….", id="serial"),
        pytest.param("sha256 " + "ab" * 32, "sha256 abababab…", id="sha256"),
        pytest.param("id 4f2a9b1c", "id 4f2a9b1c", id="short-hex-stays"),
        pytest.param("at 2026-11-23T18:47:44.823000Z", "at 2026-11-23T18:47:44.823Z", id="microseconds"),
        pytest.param("at 2026-11-23T18:47:44Z", "at 2026-11-23T18:47:44Z", id="whole-seconds-stay"),
        pytest.param(" two\n\n lines ", "two lines", id="one-line"),
        pytest.param("a.b.svc.cluster.local:80, c.svc.example", "a.b:80, c.svc.example", id="cluster-domain"),
    ],
)
def test_brief(text: str, said: str) -> None:
    assert brief(text) == said
