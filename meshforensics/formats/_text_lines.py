"""Whole lines of a captured text, numbered as editors number them."""

from collections.abc import Iterator

from meshforensics.model import NotTheFormError

_BOM = "\ufeff"


def whole_lines(payload: bytes, *, what: str) -> Iterator[tuple[int, str]]:
    r"""Number and text of each line that ends, without its end (``\n`` or ``\r\n``).

    A last line without an end was cut, so it is left out, unless it is the only one. Bytes that are no
    UTF-8 become U+FFFD.

    Args:
        payload: the bytes as captured.
        what: the form that was expected, for the message.

    Raises:
        NotTheFormError: there is nothing.
    """
    lines = payload.decode("utf-8", "replace").removeprefix(_BOM).split("\n")
    if len(lines) > 1:
        lines.pop()
    if not any(line.strip() for line in lines):
        raise NotTheFormError(f"empty, where {what} was expected")
    return ((number, line.removesuffix("\r")) for number, line in enumerate(lines, 1))


def lines_pointer(first: int, last: int) -> str:
    """The place of some lines: ``L12`` or ``L12-L14``."""
    return f"L{first}" if first == last else f"L{first}-L{last}"


def shown(line: str) -> str:
    """The beginning of a line, quoted, for a message."""
    return repr(line[:60])


def instant(text: str) -> str:
    """A time of a log as RFC 3339; one without zone is UTC.

    >>> instant("2018-09-28 22:25:19,784")
    '2018-09-28T22:25:19.784Z'
    """
    made = text.replace(" ", "T").replace(",", ".")
    return made if made.endswith("Z") or made[19:].count("+") or "-" in made[19:] else f"{made}Z"
