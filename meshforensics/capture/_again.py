"""Ask again where that may help: after 429 and 5xx, with jitter, and not before the server wants to be asked."""

import random
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_random_exponential
from tenacity.retry import retry_if_exception, retry_if_result

from meshforensics.capture._reply import AGAIN, ClosedPortError, Reply, TroubleError
from meshforensics.model import Cause

ATTEMPTS = 4
LONGEST = 30.0
"""Seconds that a server may ask to wait; one that asks for more is not asked again: others wait for the same worker."""
_backoff = wait_random_exponential(multiplier=0.25, max=8)


async def again(ask: Callable[[], Awaitable[Reply]], attempts: int = ATTEMPTS) -> Reply:
    """The first answer that asking again would not better, or the last one.

    Raises:
        TroubleError: no answer came, each time.
    """
    retrying = AsyncRetrying(
        retry=retry_if_result(_busy) | retry_if_exception(_broke),
        wait=_wait,
        stop=stop_after_attempt(attempts),
        retry_error_callback=_last,
    )

    async def attempt() -> Reply:
        return await ask()

    return await retrying(attempt)


def _busy(reply: Reply) -> bool:
    return reply.status in AGAIN and (reply.retry_after or 0) <= LONGEST


def _broke(error: BaseException) -> bool:
    if not isinstance(error, TroubleError) or isinstance(error, ClosedPortError):
        return False
    if (error.retry_after or 0) > LONGEST:
        return False
    return error.status in AGAIN or error.cause is Cause.RESET


def _last(state: RetryCallState) -> Reply:
    assert state.outcome is not None
    reply: Reply = state.outcome.result()
    return reply


def _wait(state: RetryCallState) -> float:
    assert state.outcome is not None
    error = state.outcome.exception()
    said = error if isinstance(error, TroubleError) else None if error else state.outcome.result()
    if said is not None and said.retry_after is not None:
        return float(said.retry_after) + random.uniform(0, 0.5)  # noqa: S311 - so that not all come back at once
    return _backoff(state)
