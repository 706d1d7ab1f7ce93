"""Captured text made harmless for a terminal."""

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\n"}


def plain(text: str) -> str:
    r"""`text` with control characters spelled out: a captured log line must not drive the reader's terminal.

    >>> plain("\x1b[2Jgone")
    '\\x1b[2Jgone'
    """
    return text.translate(_CONTROL)
