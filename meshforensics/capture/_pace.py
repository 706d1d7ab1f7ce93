"""A pace that is not exceeded: turns are given out evenly, after a few at once."""

import asyncio

_BURST = 0.5
"""Seconds whose turns may be taken at once."""


class Pace:
    """Gives out turns, no more than `rate` a second."""

    def __init__(self, rate: float) -> None:
        self._step = 1 / rate
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next turn."""
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now - _BURST) + self._step
        if self._next > now:
            await asyncio.sleep(self._next - now)
