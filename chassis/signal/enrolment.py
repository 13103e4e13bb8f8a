"""Learning and forgetting: the stories of Enroll and Forget, the same for every signal.

A row is committed before it can be found, and both happen together: a caller who leaves in between does not
tear them apart. Changes of one performer take turns, so that what is forgotten stays forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

import structlog

from chassis.changes import Changes

__all__ = ["Rejection", "Outcome", "Stored", "View", "Store", "Known", "Enrolment", "load"]

_log = structlog.get_logger()


class View(Protocol):
    """One observation offered for enrolment."""

    @property
    def quality(self) -> float:
        """0..1, in the signal's own measure."""


_ViewT = TypeVar("_ViewT", bound=View)
_ViewInT = TypeVar("_ViewInT", bound=View, contravariant=True)
_RowT = TypeVar("_RowT")
_RowInT = TypeVar("_RowInT", contravariant=True)


class Rejection(Enum):
    """Why a view was not enrolled, or is not searched."""

    DUPLICATE_IMAGE = auto()
    LOW_QUALITY = auto()
    NEAR_DUPLICATE = auto()
    """Kept, and not searched: another one nearly the same is."""
    SURPLUS = auto()
    """Not searched: there is enough that is better or shows more."""
    OUTLIER = auto()
    """Kept, and not searched: it seems to be somebody else."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one view; no rejection: it is committed and can be found."""

    rejection: Rejection | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Stored(Generic[_RowT]):
    """The committed rows of one view that can be found, one for each model."""

    rows: tuple[_RowT, ...]
    is_new: bool
    """Whether this call wrote any of them."""
    rejection: Rejection | None = None
    """Why the view is not searched; None: it is."""
    detail: str = ""
    """The same in words."""


class Store(Protocol[_ViewInT, _RowT]):
    """A signal's rows in the database. Raises Unavailable and DeadlineExceeded as the database does."""

    async def insert(self, performer_id: str, views: Sequence[_ViewInT]) -> list[Stored[_RowT]]:
        """Store views in one transaction; one answer each, in order. Raises NotFound: no such performer."""

    async def forget(self, performer_id: str) -> int:
        """Delete a performer's rows and return how many there were."""


class Known(Protocol[_RowInT]):
    """A signal's rows in memory, safe to use from many threads."""

    def add(self, rows: Sequence[_RowInT]) -> None:
        """Add committed rows; those that are or were here are passed over."""

    def forget(self, performer_id: str) -> int:
        """Make a performer unknown and return how many rows were here."""


class Enrolment(Generic[_ViewT, _RowT]):
    """Stores views of performers and forgets performers.

    least_quality: quality 0..1 under which a view teaches nothing.
    """

    def __init__(
        self, store: Store[_ViewT, _RowT], known: Known[_RowT], changes: Changes, *, least_quality: float
    ) -> None:
        self._store = store
        self._known = known
        self._changes = changes
        self._least_quality = least_quality

    async def enroll(self, performer_id: str, views: Sequence[_ViewT]) -> list[Outcome]:
        """Store views of a performer; one outcome each, in order.

        Raises NotFound for nobody's id, Unavailable when the database is not there: then nothing is enrolled
        as far as anybody can find, and trying again is safe.
        """
        good = [view for view in views if self._is_good(view)]
        stored = iter(await self._changes.run(performer_id, self._store_and_add(performer_id, good)))
        return [_outcome(next(stored)) if self._is_good(view) else self._too_low(view) for view in views]

    async def forget(self, performer_id: str) -> int:
        """Make a performer unknown at once, delete the rows and return how many this call deleted.

        Raises Unavailable when the database is not there: nobody finds the performer until the next start,
        and the call must be repeated.
        """
        return await self._changes.run(performer_id, self._forget(performer_id))

    async def _store_and_add(self, performer_id: str, views: Sequence[_ViewT]) -> list[Stored[_RowT]]:
        stored = await self._store.insert(performer_id, views)
        # In a thread of its own, not in the work pool: what is committed must not be refused as overload.
        # Those that were stored before are added, too: their adding may have been cut short.
        await asyncio.to_thread(self._known.add, [row for one in stored for row in one.rows])
        accepted = sum(one.is_new and one.rejection is None for one in stored)
        _log.info("enrolled", performer_id=performer_id, accepted=accepted, offered=len(views))
        return stored

    async def _forget(self, performer_id: str) -> int:
        await asyncio.to_thread(self._known.forget, performer_id)
        deleted = await self._store.forget(performer_id)
        _log.info("forgotten", performer_id=performer_id, deleted=deleted)
        return deleted

    def _is_good(self, view: _ViewT) -> bool:
        return view.quality >= self._least_quality

    def _too_low(self, view: _ViewT) -> Outcome:
        detail = f"quality {view.quality:.2f} is under {self._least_quality:.2f}"
        return Outcome(Rejection.LOW_QUALITY, detail)


async def load(rows: AsyncGenerator[list[_RowT], None], known: Known[_RowT]) -> None:
    """Put every stored row into memory, batch by batch.

    In threads of their own, not in the work pool: what serves must neither refuse this as overload nor wait.
    """
    async with aclosing(rows) as batches:
        async for batch in batches:
            await asyncio.to_thread(known.add, batch)


def _outcome(stored: Stored[_RowT]) -> Outcome:
    if stored.rejection is not None:
        return Outcome(stored.rejection, stored.detail)
    if stored.is_new:
        return Outcome()
    return Outcome(Rejection.DUPLICATE_IMAGE, "it is enrolled for the performer from this image already")
