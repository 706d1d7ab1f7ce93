"""Kubernetes quantities, exactly: ``1500m`` CPU, ``128Mi``, ``2e3`` (Kubernetes API conventions, Quantity)."""

import re
from decimal import ROUND_CEILING, Context, Decimal

from meshforensics.model import NotTheFormError

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d{1,60}(?:\.\d{0,60})?|\.\d{1,60}))"
    r"(?:(?P<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?P<exponent>[+-]?\d{1,3}))?",
    re.ASCII,
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: dict[str, int] = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_LARGEST_EXPONENT = 60
_EXACT = Context(prec=400)


def decode(text: str | float) -> Decimal:
    """The value of a quantity, without rounding.

    >>> decode("128Mi")
    Decimal('134217728')
    >>> decode("1500m")
    Decimal('1.500')

    Raises:
        NotTheFormError: the text is no quantity.
    """
    found = _QUANTITY.fullmatch(str(text).strip())
    if not found:
        raise NotTheFormError(f"{str(text)[:40]!r} is no Kubernetes quantity")
    number = Decimal(found["number"])
    suffix, exponent = found["suffix"], int(found["exponent"] or 0)
    if abs(exponent) > _LARGEST_EXPONENT:
        raise NotTheFormError(f"{str(text)[:40]!r} is larger than any Kubernetes quantity")
    if suffix in _BINARY:
        return _EXACT.multiply(number, Decimal(1024 ** _BINARY[suffix]))
    return _shifted(number, _DECIMAL.get(suffix or "", exponent))


def whole(text: str | float | None) -> int | None:
    """Bytes (or any unit) as an integer, rounded up as Kubernetes does; None for None.

    >>> whole("128974848000m")
    128974848
    """
    return None if text is None else _ceiling(decode(text))


def milli(text: str | float | None) -> int | None:
    """Thousandths, rounded up as Kubernetes does: CPU in millicores; None for None.

    >>> milli("2"), milli("1500000n")
    (2000, 2)
    """
    return None if text is None else _ceiling(_shifted(decode(text), 3))


def _shifted(number: Decimal, exponent: int) -> Decimal:
    sign, digits, own = number.as_tuple()
    return Decimal((sign, digits, int(own) + exponent))


def _ceiling(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_CEILING))
