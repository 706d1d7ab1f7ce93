"""YAML scalars as kubectl's quoting expects them."""

import pytest

from meshforensics.formats._yaml import documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-20T15:47:28Z", "2026-11-20T15:47:28Z"),
        ("2026-11-20", "2026-11-20"),
        ("on", True),
        ("No", False),
        ("'on'", "on"),
        ("~", None),
        ("", None),
        ("'null'", "null"),
        ("12", 12),
        ("-0x1F", -31),
        ("0b101", 5),
        ("0644", 420),
        ("0o644", "0o644"),
        ("089", "089"),
        ("1_000", 1000),
        ("15:20", "15:20"),
        ("1.5", 1.5),
        ("1e3", "1e3"),
        ("1.0e+3", 1000.0),
        ("=", "="),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("! 12", "12"),
        ("'<<'", "<<"),
        ("9" * 120, "9" * 120),
    ],
)
def test_scalar(text: str, value: object) -> None:
    assert list(documents(f"- {text}\n".encode(), what="a test")) == [[value]]


def test_keys_stay_text() -> None:
    assert list(documents(b"on: 1\n2: 2\n~: 3\n", what="a test")) == [{"on": 1, "2": 2, "~": 3}]
