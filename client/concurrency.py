"""Several calls at a time, with nothing left running."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import islice
from typing import TypeVar

__all__ = ["started", "ahead", "worked_off"]

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


@asynccontextmanager
async def ahead(
    calls: Iterable[Callable[[], Awaitable[_T]]], *, most: int
) -> AsyncIterator[AsyncIterator[_T]]:
    """What the calls give, in their order; at most so many are made before their turn.

    So what they give is not piled up while somebody is slow to take it. What is unfinished when the block
    ends is cancelled.
    """
    results = _Ahead(calls, most)
    try:
        yield results
    finally:
        await results.cancel()


class _Ahead(AsyncIterator[_T]):
    """Made for one reader."""

    def __init__(self, calls: Iterable[Callable[[], Awaitable[_T]]], most: int) -> None:
        self._left = iter(calls)
        self._most = most
        self._tasks: deque[asyncio.Task[_T]] = deque()

    async def __anext__(self) -> _T:
        for call in islice(self._left, self._most - len(self._tasks)):
            self._tasks.append(asyncio.create_task(_made(call)))
        if not self._tasks:
            raise StopAsyncIteration
        result = await self._tasks[0]
        self._tasks.popleft()
        return result

    async def cancel(self) -> None:
        self._left = iter(())
        unfinished = list(self._tasks)
        self._tasks.clear()
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


async def _made(call: Callable[[], Awaitable[_T]]) -> _T:
    return await call()


async def worked_off(items: Iterable[_T], work: Callable[[_T], Awaitable[None]], *, at_a_time: int) -> None:
    """Do the work for every item, so many at a time; the first that fails ends the others."""
    left = iter(items)

    async def worker() -> None:
        for item in left:
            await work(item)

    workers = [asyncio.create_task(worker()) for _ in range(at_a_time)]
    try:
        await asyncio.gather(*workers)
    finally:
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
