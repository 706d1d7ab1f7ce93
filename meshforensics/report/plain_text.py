"""Captured text for a terminal: harmless, and short enough for a screen."""

import re

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    code: f"\\u{code:04x}" for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""Control characters, other ends of a line, and what turns the direction of writing around."""
_HEX = re.compile(r"\b[0-9a-f]{32,64}\b")
_CLUSTER_DOMAIN = re.compile(r"\.svc\.cluster\.local\b")
_MICROSECONDS = re.compile(r"(T\d\d:\d\d:\d\d\.\d{3})\d+Z")


def plain(text: str) -> str:
    r"""`text` on one line, control characters spelled out: a captured log line must not drive the reader's terminal.

    >>> plain("\x1b[2Jgone")
    '\\x1b[2Jgone'
    """
    return text.translate(_CONTROL)


def brief(text: str) -> str:
    """`text` on one line, made harmless and short.

    Hashes and serials by their first digits, times to the millisecond, services without the cluster's domain.

    >>> brief("pricing.shop.svc.cluster.local since 2026-11-23T18:47:44.823000Z")
    'pricing.shop since 2026-11-23T18:47:44.823Z'
    """
    line = _HEX.sub(lambda found: f"{found[0][:8]}…", " ".join(text.split()))
    line = _CLUSTER_DOMAIN.sub("", line)
    return plain(_MICROSECONDS.sub(r"\1Z", line))
