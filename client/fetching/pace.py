"""How fast one host is asked: gently, and not at all while it wants to be left alone."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable

from client.fetching.failures import Failure, FetchFailed

__all__ = ["HostPace"]


class HostPace:
    """Gives out turns: one request to a host each `interval` seconds, whoever asks.

    longest_wait: who would have to wait longer, because the host asked to be left alone, is refused.
    """

    def __init__(
        self,
        *,
        interval: float,
        longest_wait: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval = interval
        self._longest_wait = longest_wait
        self._clock = clock
        self._sleep = sleep
        self._next: defaultdict[str, float] = defaultdict(float)
        self._rests: defaultdict[str, float] = defaultdict(float)
        self._queues: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def __repr__(self) -> str:
        return f"HostPace({len(self._next)} hosts, one request each {self._interval:g} s)"

    async def turn(self, host: str) -> None:
        """Wait for the next turn. Raises FetchFailed when the host rests for too long."""
        async with self._queues[host]:
            while (left := self._ready(host) - self._clock()) > 0:
                await self._sleep(left)
            self._next[host] = self._clock() + self._interval

    def rest(self, host: str, seconds: float) -> None:
        """The host wants to be left alone for so long."""
        self._rests[host] = max(self._rests[host], self._clock() + seconds)

    def _ready(self, host: str) -> float:
        resting = self._rests[host] - self._clock()
        if resting > self._longest_wait:
            raise FetchFailed(
                Failure.RATE_LIMITED, f"{host} wants to be left alone for {resting:.0f} s", is_over=True
            )
        return max(self._next[host], self._rests[host])
