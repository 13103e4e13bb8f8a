"""A bounded pool of threads for work that would stall the event loop: decoding, alignment, search."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from chassis.errors import ConfigError, Overloaded, Unavailable

__all__ = ["WorkPool"]

P = ParamSpec("P")
T = TypeVar("T")


class WorkPool:
    """Runs functions in threads, so many at once, and lets only so many wait.

    A pool belongs to the event loop that entered it. Options:
        threads: how many functions run at the same time.
        max_waiting: how many more may wait for a thread, first come first served, before `Overloaded`.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        if threads < 1 or max_waiting < 0:
            raise ConfigError("a work pool needs threads >= 1 and max_waiting >= 0")
        self._threads = threads
        self._max_waiting = max_waiting
        self._free = asyncio.Semaphore(threads)
        self._executor: ThreadPoolExecutor | None = None
        self._running = 0
        self._waiting = 0

    async def __aenter__(self) -> Self:
        if self._executor is not None:
            raise Unavailable("the work pool is open already")
        self._free = asyncio.Semaphore(self._threads)
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="work")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Turn away those who wait, let what runs end, and stop the threads."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        try:
            for _ in range(self._threads):
                await self._free.acquire()
        except asyncio.CancelledError:
            executor.shutdown(wait=False)  # what still runs ends by itself
            raise
        executor.shutdown()  # every thread is idle by now

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a thread of the pool, under the caller's context variables (logging's, too).

        A caller that is cancelled while it waits leaves the queue; while its function runs the caller goes on
        at once, and the thread is busy until the function ends, because a thread cannot be interrupted.

        Raises:
            Overloaded: every thread is busy and `max_waiting` callers wait already.
            Unavailable: the pool is not open, or closes while the caller waits.
        """
        await self._wait_for_thread()
        executor = self._executor
        if executor is None:
            self._free.release()
            raise Unavailable("the work pool is closed")
        self._running += 1
        context = contextvars.copy_context()
        future = executor.submit(context.run, partial(function, *args, **kwargs))
        future.add_done_callback(partial(self._on_done, asyncio.get_running_loop()))
        return await asyncio.wrap_future(future)

    async def _wait_for_thread(self) -> None:
        if self._executor is None:
            raise Unavailable("the work pool is closed")
        if self._free.locked() and self._waiting >= self._max_waiting:
            raise Overloaded(f"{self._threads} tasks run and {self._waiting} wait; try later")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    def _on_done(self, loop: asyncio.AbstractEventLoop, _: Future[T]) -> None:
        """Called in the worker's thread."""
        loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        self._running -= 1
        self._free.release()

    def __repr__(self) -> str:
        state = "open" if self._executor is not None else "closed"
        return f"<WorkPool {state}, {self._running} of {self._threads} running, {self._waiting} waiting>"
