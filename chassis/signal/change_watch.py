"""A change of models is looked after for as long as a process serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from chassis.errors import MarqueeError, ModelError, Unavailable
from chassis.signal.model_change import ModelChange

__all__ = ["ChangeWatch", "start_with"]

_POLL_SECONDS = 2.0
# Enrolments in a row are looked at together.
_LEAST_SECONDS = 0.1

_log = structlog.get_logger()


class ChangeWatch:
    """Checks a change now and then, and soon after something was enrolled."""

    def __init__(self, change: ModelChange[Any, Any], *, poll_seconds: float = _POLL_SECONDS) -> None:
        self._change = change
        self._poll_seconds = poll_seconds
        self._hurry = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._trouble = ""

    def __repr__(self) -> str:
        return f"<ChangeWatch of {self._change!r}, {self._trouble or 'fine'}>"

    def hurry(self) -> None:
        """Something was enrolled: look at the coverage soon. May be called from any thread."""
        is_over = self._change.in_use.preparing is None and self._change.progress.is_complete
        if self._loop is not None and not is_over:
            self._loop.call_soon_threadsafe(self._hurry.set)

    async def caught_up(self) -> None:
        """Return when what was committed before was seen here, by every generation; and look at it soon."""
        await self._change.look()
        self.hurry()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Check again and again for the time of the block."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self._loop = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LEAST_SECONDS)
            # Not `wait_for`, which on Python 3.11 forgets a cancellation that comes together with a hurry.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._hurry.wait()
            self._hurry.clear()
            await self._check()

    async def _check(self) -> None:
        """What fails is told once; the next look may go well."""
        try:
            await self._change.check()
        except MarqueeError as exc:  # the database is away: what is loaded goes on serving
            if str(exc) != self._trouble:
                _log.warning("the models cannot be looked after now", cause=str(exc))
            self._trouble = str(exc)
        except Exception:
            _log.exception("looking after the models failed")
        else:
            self._trouble = ""


async def start_with(change: ModelChange[Any, Any], wanted: Sequence[Any]) -> None:
    """Adopt embedders at the start of a process.

    Raises ModelError when embedders that should serve, and run here, cannot be run. Those on a server may
    come later: readiness tells until then.
    """
    await change.adopt(wanted)
    try:
        await change.ready()
    except (ModelError, Unavailable) as exc:
        if not change.may_be_away:
            raise
        _log.warning("the models cannot be run yet", cause=str(exc))
