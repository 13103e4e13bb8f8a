"""Learning and forgetting bodies: the stories of Enroll and Forget.

A row is committed before it can be found, and both happen together: a caller who leaves in between does not
tear them apart. Changes of one performer take turns, so that what is forgotten stays forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import structlog

from services.body.enrolled import EnrolledBodies
from services.body.store import MeasurementStore, NewMeasurement, Stored

__all__ = ["Rejection", "Outcome", "EnrollBodies"]

_T = TypeVar("_T")
_Argument = TypeVar("_Argument")
_log = structlog.get_logger()


class Rejection(Enum):
    """Why a view was not enrolled."""

    DUPLICATE_IMAGE = auto()
    LOW_QUALITY = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one view; no rejection: it is committed and can be found."""

    rejection: Rejection | None = None
    detail: str = ""


class EnrollBodies:
    """Stores measurements of performers and forgets them.

    least_quality: view quality 0..1 under which a view teaches nothing.
    """

    def __init__(self, store: MeasurementStore, enrolled: EnrolledBodies, *, least_quality: float) -> None:
        self._store = store
        self._enrolled = enrolled
        self._least_quality = least_quality
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # The loop itself holds tasks weakly.
        self._changes: set[asyncio.Task[Any]] = set()

    async def enroll(self, performer_id: str, views: Sequence[NewMeasurement]) -> list[Outcome]:
        """Store views of a performer; one outcome each, in order.

        Raises NotFound for nobody's id, Unavailable when the database is not there: then nothing is enrolled
        as far as anybody can find, and trying again is safe.
        """
        good = [view for view in views if view.quality >= self._least_quality]
        stored = iter(await self._uninterrupted(self._store_and_add(performer_id, good)))
        return [
            _outcome(next(stored)) if view.quality >= self._least_quality else self._too_low(view)
            for view in views
        ]

    async def forget(self, performer_id: str) -> int:
        """Make a performer unknown at once, delete the rows and return how many this call deleted.

        Raises Unavailable when the database is not there: nobody finds the performer until the next start,
        and the call must be repeated.
        """
        return await self._uninterrupted(self._forget(performer_id))

    async def aclose(self) -> None:
        """Wait for changes under way."""
        await asyncio.gather(*self._changes, return_exceptions=True)

    async def _store_and_add(self, performer_id: str, views: Sequence[NewMeasurement]) -> list[Stored]:
        async with self._turn(performer_id):
            stored = await self._store.insert(performer_id, views)
            # Those that were stored before, too: their adding may have been cut short.
            await _aside(self._enrolled.add, [one.row for one in stored])
        accepted = sum(one.is_new for one in stored)
        _log.info("bodies enrolled", performer_id=performer_id, accepted=accepted, offered=len(views))
        return stored

    async def _forget(self, performer_id: str) -> int:
        async with self._turn(performer_id):
            await _aside(self._enrolled.forget, performer_id)
            deleted = await self._store.forget(performer_id)
        _log.info("body forgotten", performer_id=performer_id, deleted=deleted)
        return deleted

    async def _uninterrupted(self, change: Coroutine[Any, Any, _T]) -> _T:
        """Go on with a change to its end even if its caller leaves."""
        task = asyncio.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._on_done)
        return await asyncio.shield(task)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._changes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Whoever still waits gets it; whoever left does not, and nobody would ever know.
            _log.warning("a change of bodies failed", error=type(error).__name__)

    def _turn(self, performer_id: str) -> asyncio.Lock:
        return self._turns.setdefault(performer_id, asyncio.Lock())

    def _too_low(self, view: NewMeasurement) -> Outcome:
        detail = f"view quality {view.quality:.2f} is under {self._least_quality:.2f}"
        return Outcome(Rejection.LOW_QUALITY, detail)


async def _aside(function: Callable[[_Argument], object], argument: _Argument) -> None:
    # Not in the work pool: what is committed must not be refused as overload.
    await asyncio.to_thread(function, argument)


def _outcome(stored: Stored) -> Outcome:
    if stored.is_new:
        return Outcome()
    return Outcome(Rejection.DUPLICATE_IMAGE, "this image is enrolled for the performer already")
