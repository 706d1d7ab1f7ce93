"""The one clock, and the one way times are written.

Every verdict is as of the captured instant. Only capture may ask what time it is, and it asks here.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache

from meshforensics.model.errors import UsageError

_FRACTION = re.compile(r"\.(\d+)")
_COMPACT = "%Y%m%dT%H%M%SZ"


def now() -> datetime:
    """The current instant, aware and in UTC. For capture and for the tool's own messages only."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one clock


@lru_cache(maxsize=4096)
def parse_time(text: str) -> datetime:
    """Read RFC 3339 with any number of fraction digits, or the compact form of folder names.

    Args:
        text: ``2026-11-23T18:48:12.173Z``, ``2026-11-23 18:48:12+00:00`` or ``20261123T184812Z``.

    Raises:
        UsageError: the text is neither; a time without zone is read as UTC.
    """
    cleaned = _FRACTION.sub(lambda found: "." + found.group(1)[:6].ljust(6, "0"), text.strip())
    try:
        at = (
            datetime.strptime(cleaned, _COMPACT).replace(tzinfo=UTC)
            if re.fullmatch(r"\d{8}T\d{6}Z", cleaned)
            else datetime.fromisoformat(cleaned)
        )
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is not a time; write it like 2026-11-23T18:48:12Z") from error


@lru_cache(maxsize=4096)
def format_time(at: datetime | None) -> str | None:
    """RFC 3339 in UTC with microseconds only where there are any; None stays None."""
    if at is None:
        return None
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def compact_time(at: datetime) -> str:
    """The form of folder names: ``20261123T184812Z``."""
    return at.astimezone(UTC).strftime(_COMPACT)
