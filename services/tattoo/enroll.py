"""Learning and forgetting tattoos: the stories of Enroll and Forget.

A row is committed before it can be found, and both happen together: a caller who leaves in between does not
tear them apart. Changes of one performer take turns, so that what is forgotten stays forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import structlog

from chassis.changes import Changes
from services.tattoo.enrolled import EnrolledTattoos
from services.tattoo.store import NewTattoo, Stored, TattooStore

__all__ = ["EnrollTattoos", "Outcome", "Rejection"]

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


class EnrollTattoos:
    """Stores tattoos of performers and forgets them.

    least_quality: quality 0..1 under which a view teaches nothing.
    """

    def __init__(
        self, store: TattooStore, enrolled: EnrolledTattoos, changes: Changes, *, least_quality: float
    ) -> None:
        self._store = store
        self._enrolled = enrolled
        self._changes = changes
        self._least_quality = least_quality

    async def enroll(self, performer_id: str, tattoos: Sequence[NewTattoo]) -> list[Outcome]:
        """Store views of a performer's tattoos; one outcome each, in order.

        Raises NotFound for nobody's id, Unavailable when the database is not there: then nothing is enrolled
        as far as anybody can find, and trying again is safe.
        """
        good = [one for one in tattoos if self._is_good(one)]
        stored = iter(await self._changes.run(performer_id, self._store_and_add(performer_id, good)))
        return [_outcome(next(stored)) if self._is_good(one) else self._too_low(one) for one in tattoos]

    async def forget(self, performer_id: str) -> int:
        """Make a performer unknown at once, delete the rows and return how many this call deleted.

        Raises Unavailable when the database is not there: nobody finds the performer until the next start,
        and the call must be repeated.
        """
        return await self._changes.run(performer_id, self._forget(performer_id))

    async def _store_and_add(self, performer_id: str, tattoos: Sequence[NewTattoo]) -> list[Stored]:
        stored = await self._store.insert(performer_id, tattoos)
        # Those that were stored before, too: their adding may have been cut short. Not in the work pool: what
        # is committed must not be refused as overload.
        await asyncio.to_thread(self._enrolled.add, [row for one in stored for row in one.rows])
        accepted = sum(one.is_new for one in stored)
        _log.info("tattoos enrolled", performer_id=performer_id, accepted=accepted, offered=len(tattoos))
        return stored

    async def _forget(self, performer_id: str) -> int:
        await asyncio.to_thread(self._enrolled.forget, performer_id)
        deleted = await self._store.forget(performer_id)
        _log.info("tattoos forgotten", performer_id=performer_id, deleted=deleted)
        return deleted

    def _is_good(self, tattoo: NewTattoo) -> bool:
        return tattoo.template.quality >= self._least_quality

    def _too_low(self, tattoo: NewTattoo) -> Outcome:
        detail = f"quality {tattoo.template.quality:.2f} is under {self._least_quality:.2f}"
        return Outcome(Rejection.LOW_QUALITY, detail)


def _outcome(stored: Stored) -> Outcome:
    if stored.is_new:
        return Outcome()
    return Outcome(
        Rejection.DUPLICATE_IMAGE, "this tattoo of this image is enrolled for the performer already"
    )
