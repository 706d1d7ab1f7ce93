"""Read bodies as they come, and name what goes wrong on the way."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import aiohttp

from meshforensics.capture._reply import LARGEST, Reply, TroubleError
from meshforensics.model import Cause

_CHUNK = 256 * 1024


async def read_body(said: aiohttp.ClientResponse, patience: float) -> Reply:
    """The answer with as much of its body as came."""
    parts: list[bytes] = []
    size = 0
    broken = ""
    try:
        async for part in said.content.iter_chunked(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                broken = f"larger than {LARGEST} bytes: not read further"
                said.close()
                break
    except TimeoutError:
        broken = f"nothing came for {patience:.0f} s"
    except aiohttp.ClientError as error:
        broken = f"the body broke off ({error or type(error).__name__})"
    return Reply(
        status=said.status,
        body=b"".join(parts),
        broken=broken,
        retry_after=retry_after(said.headers.get("Retry-After"), said.headers.get("Date", "")),
        date=said.headers.get("Date", ""),
    )


def retry_after(value: str | None, date: str = "") -> float | None:
    """Seconds of a Retry-After header, which may be an instant by the clock that wrote `date`; None where it says none.

    >>> retry_after("3"), retry_after("x")
    (3.0, None)
    >>> retry_after("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:27:50 GMT")
    10.0
    """
    if not value:
        return None
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError):
        return None


class Trouble:
    """Turns errors of the network inside its ``async with`` into one that names the item's cause."""

    def __init__(self, what: str) -> None:
        self._what = what

    async def __aenter__(self) -> Self:
        """Nothing to do."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Name the trouble."""
        if isinstance(error, TimeoutError):
            raise TroubleError(Cause.TIMEOUT, f"{self._what}: no answer in time") from error
        if isinstance(error, aiohttp.WSServerHandshakeError):
            raise _handshake(self._what, error) from error
        if isinstance(error, aiohttp.ClientError | OSError):
            raise TroubleError(Cause.RESET, f"{self._what}: {error or type(error).__name__}") from error


def _handshake(what: str, error: aiohttp.WSServerHandshakeError) -> TroubleError:
    causes = {401: Cause.FORBIDDEN, 403: Cause.FORBIDDEN, 404: Cause.GONE, 504: Cause.TIMEOUT}
    said: Mapping[str, str] = error.headers or {}
    wait = retry_after(said.get("Retry-After"), said.get("Date", ""))
    detail = f"{what}: HTTP {error.status}"
    return TroubleError(causes.get(error.status, Cause.RESET), detail, status=error.status, retry_after=wait)
