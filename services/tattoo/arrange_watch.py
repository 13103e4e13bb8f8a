"""What was imported is grouped for as long as a process serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from chassis.errors import MarqueeError, Unavailable
from services.tattoo.waiting_views import WaitingViews

__all__ = ["ArrangeWatch"]

_POLL_SECONDS = 2.0
_PORTION = 200

_log = structlog.get_logger()


class ArrangeWatch:
    """Looks now and then whether somebody's views wait to be grouped, and groups them.

    One performer after another: an enrolment waits for no other performer's views, and no longer than one
    grouping for its own.
    """

    def __init__(self, waiting: WaitingViews, *, poll_seconds: float = _POLL_SECONDS) -> None:
        self._waiting = waiting
        self._poll_seconds = poll_seconds
        self._trouble = ""

    def __repr__(self) -> str:
        return f"<ArrangeWatch, {self._trouble or 'fine'}>"

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Group again and again for the time of the block."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(self._poll_seconds)

    async def _look(self) -> None:
        """What fails is told once; what waits is still there at the next look."""
        try:
            await self._arrange_all()
        except MarqueeError as exc:
            if str(exc) != self._trouble:
                _log.warning("imported views cannot be grouped now", cause=str(exc))
            self._trouble = str(exc)
        except Exception:
            _log.exception("grouping imported views failed")
        else:
            self._trouble = ""

    async def _arrange_all(self) -> None:
        """Everybody once. Whoever cannot be done now holds up nobody, and is told in the end."""
        arranged, last = 0, ""
        failed: Exception | None = None
        while performers := await self._waiting.after(last, most=_PORTION):
            for performer_id in performers:
                try:
                    arranged += await self._waiting.arrange(performer_id)
                except Unavailable:
                    raise
                except Exception as exc:
                    failed = exc
            last = performers[-1]
        if arranged:
            _log.info("imported views grouped", performers=arranged)
        if failed is not None:
            raise failed
