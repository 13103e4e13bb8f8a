"""Many items worked on at a time, but never more than a bound; replies in the order of completion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

from gateway.enrolment.enroll_image import Settled

__all__ = ["bounded"]

_Item = TypeVar("_Item")
_Reply = TypeVar("_Reply")


async def bounded(
    items: AsyncIterator[_Item],
    handle: Callable[[_Item, Settled], Awaitable[_Reply]],
    *,
    group_of: Callable[[_Item], str],
    in_flight: int,
) -> AsyncGenerator[_Reply, None]:
    """Call `handle` for each item, at most `in_flight` at a time, and yield what it returns.

    The next item is read only when a reply is delivered (the one after it is asked for), so a fast sender
    waits, and so does one who reads no replies. An item can wait (`Settled`) for the running items of its own
    group that came before it; those wait for none after them, so nobody waits in a circle. Ending the
    iteration cancels what runs.
    """
    workers = _Workers(handle, group_of, in_flight)
    reading = asyncio.create_task(workers.read(items))
    try:
        while True:
            reply = await workers.replies.get()
            if reply is None:
                break
            yield reply[0]
            workers.free.release()  # not earlier: replies that nobody reads must not pile up
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


class _Workers(Generic[_Item, _Reply]):
    """One task for each item under way. `replies`: one-tuples, then None when there will be no more.

    `free`: to be released by who has delivered a reply.
    """

    def __init__(
        self,
        handle: Callable[[_Item, Settled], Awaitable[_Reply]],
        group_of: Callable[[_Item], str],
        in_flight: int,
    ) -> None:
        self._handle = handle
        self._group_of = group_of
        self.free = asyncio.Semaphore(in_flight)
        self._running: dict[str, list[asyncio.Task[None]]] = {}
        self.replies: asyncio.Queue[tuple[_Reply] | None] = asyncio.Queue()

    async def read(self, items: AsyncIterator[_Item]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                await self.free.acquire()
                async for item in items:
                    self._start(item, tasks)
                    del item  # an image is large: only its task holds it from here on
                    await self.free.acquire()
        finally:
            self.replies.put_nowait(None)

    def _start(self, item: _Item, tasks: asyncio.TaskGroup) -> None:
        name = self._group_of(item)
        group = self._running.setdefault(name, [])
        task = tasks.create_task(self._work(item, list(group)))
        group.append(task)
        task.add_done_callback(partial(self._end, name))

    def _end(self, name: str, task: asyncio.Task[None]) -> None:
        group = self._running[name]
        group.remove(task)
        if not group:
            del self._running[name]

    async def _work(self, item: _Item, earlier: list[asyncio.Task[None]]) -> None:
        async def settled() -> None:
            if earlier:
                await asyncio.wait(earlier)

        self.replies.put_nowait((await self._handle(item, settled),))
