"""Changes that must not be torn apart: they take turns by key, and go on when their caller leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import structlog

__all__ = ["Changes"]

_T = TypeVar("_T")

_log = structlog.get_logger()


class Changes:
    """Runs changes such as enrolling: a row is committed and added to the index, or neither.

    Changes of one key (a performer) take turns, so that what is forgotten stays forgotten. Once started, a
    change runs to its end even if its caller is cancelled.
    """

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # The loop itself holds tasks weakly.
        self._running: set[asyncio.Task[Any]] = set()

    def __repr__(self) -> str:
        return f"<Changes, {len(self._running)} running>"

    async def run(self, key: str, change: Coroutine[Any, Any, _T]) -> _T:
        """The change's result, after its turn; raises what it raises."""
        task = asyncio.create_task(self._in_turn(key, change))
        self._running.add(task)
        task.add_done_callback(self._on_done)
        return await asyncio.shield(task)

    @asynccontextmanager
    async def closing(self) -> AsyncIterator[Changes]:
        """Itself; at the end of the block, waits for changes under way."""
        try:
            yield self
        finally:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _in_turn(self, key: str, change: Coroutine[Any, Any, _T]) -> _T:
        async with self._turns.setdefault(key, asyncio.Lock()):
            return await change

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Whoever still waits gets it; whoever left does not, and nobody would ever know.
            _log.warning("a change failed", error=type(error).__name__)
