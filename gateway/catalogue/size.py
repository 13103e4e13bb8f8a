"""How many performers there are: what a prior is spread over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from chassis.postgres import Pool, translate

__all__ = ["GallerySize"]

_KEPT_SECONDS = 60.0


class GallerySize:
    """Counts performers, at most once a minute: a prior needs no more.

    clock: seconds that only rise.
    """

    def __init__(self, pool: Pool, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._counted = (0, float("-inf"))
        self._counting = asyncio.Lock()

    async def __call__(self) -> int:
        """Raises Unavailable and DeadlineExceeded as the database does."""
        async with self._counting:
            size, at = self._counted
            if self._clock() - at >= _KEPT_SECONDS:
                with translate():
                    size = int(await self._pool.fetchval("SELECT count(*) FROM catalogue.performers"))
                self._counted = size, self._clock()
            return size
