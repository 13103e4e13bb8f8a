"""Several calls at a time, with nothing left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

__all__ = ["started"]

_T = TypeVar("_T")


@asynccontextmanager
async def started(
    calls: Iterable[Callable[[], Awaitable[_T]]], *, at_a_time: int
) -> AsyncIterator[list[asyncio.Task[_T]]]:
    """Tasks that make the calls, in their order; what is unfinished when the block ends is cancelled."""
    slots = asyncio.Semaphore(at_a_time)

    async def one(call: Callable[[], Awaitable[_T]]) -> _T:
        async with slots:
            return await call()

    tasks = [asyncio.create_task(one(call)) for call in calls]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
