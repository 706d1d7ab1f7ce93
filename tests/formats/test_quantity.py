"""Kubernetes quantities are read exactly, and rounded as Kubernetes rounds them."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshforensics.formats.quantity import decode, milli, whole
from meshforensics.model import NotTheFormError

FACTORS = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "P": Fraction(10**15),
    "E": Fraction(10**18),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
    "Pi": Fraction(2**50),
    "Ei": Fraction(2**60),
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("250m", "0.250"),
        ("1.5Gi", "1610612736"),
        ("2e3", "2000"),
        ("2E3", "2000"),
        ("2E", "2000000000000000000"),
        ("-1k", "-1000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1e-3", "0.001"),
        ("128974848000m", "128974848"),
    ],
)
def test_value(text: str, value: str) -> None:
    assert decode(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "m", "1 Gi", "1gi", "1KB", "1e", "e3", "--1", "0x10", "١", "1e999", "1" * 61, "nan", "Infinity"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(NotTheFormError):
        decode(text)


@pytest.mark.parametrize(
    ("text", "up", "thousandths"),
    [("1", 1, 1000), ("1n", 1, 1), ("1001u", 1, 2), ("1.0005", 2, 1001), ("-1.5", -1, -1500), (None, None, None)],
)
def test_rounding_is_up(text: str | None, up: int | None, thousandths: int | None) -> None:
    assert (whole(text), milli(text)) == (up, thousandths)


@given(st.integers(-(10**20), 10**20), st.integers(0, 12), st.sampled_from(sorted(FACTORS)))
def test_every_suffix_is_exact(number: int, places: int, suffix: str) -> None:
    sign = "-" if number < 0 else ""
    digits = str(abs(number)).rjust(places + 1, "0")
    text = f"{sign}{digits[: len(digits) - places]}.{digits[len(digits) - places :]}{suffix}"

    assert Fraction(decode(text)) == Fraction(number, 10**places) * FACTORS[suffix]


@given(st.text(max_size=30))
def test_any_text_is_a_value_or_refused(text: str) -> None:
    try:
        made = decode(text)
    except NotTheFormError:
        return
    assert made.is_finite()
