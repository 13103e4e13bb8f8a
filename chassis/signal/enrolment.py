"""Learning and forgetting: the stories of Enroll and Forget, the same for every signal.

The database decides what is known: a change is committed, and then this process catches up with the database,
as every other one does. Changes of one performer take turns.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, Protocol, TypeVar

import structlog

from chassis.changes import Changes

__all__ = ["Rejection", "Outcome", "Stored", "View", "Store", "Enrolment"]

_log = structlog.get_logger()


class View(Protocol):
    """One observation offered for enrolment."""

    @property
    def quality(self) -> float:
        """0..1, in the signal's own measure."""


_ViewT = TypeVar("_ViewT", bound=View)
_ViewInT = TypeVar("_ViewInT", bound=View, contravariant=True)


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
class Stored:
    """What became of one view in the database."""

    is_new: bool
    """Whether this call wrote any row of it."""
    rejection: Rejection | None = None
    """Why the view is not searched; None: it is."""
    detail: str = ""
    """The same in words."""


class Store(Protocol[_ViewInT]):
    """A signal's rows in the database. Raises Unavailable and DeadlineExceeded as the database does."""

    async def insert(self, performer_id: str, views: Sequence[_ViewInT]) -> list[Stored]:
        """Store views in one transaction; one answer each, in order. Raises NotFound: no such performer."""

    async def forget(self, performer_id: str) -> int:
        """Delete a performer's rows and return how many there were."""

    async def discard(self, performer_id: str, image_hash: str) -> int:
        """Delete a performer's rows from one image and return how many observations they were.

        Raises NotFound: no such performer.
        """


class Enrolment(Generic[_ViewT]):
    """Stores views of performers and forgets performers.

    look: returns when this process has seen what is committed; raises as the database does.
    least_quality: quality 0..1 under which a view teaches nothing.
    """

    def __init__(
        self,
        store: Store[_ViewT],
        look: Callable[[], Awaitable[None]],
        changes: Changes,
        *,
        least_quality: float,
    ) -> None:
        self._store = store
        self._look = look
        self._changes = changes
        self._least_quality = least_quality

    async def enroll(self, performer_id: str, views: Sequence[_ViewT]) -> list[Outcome]:
        """Store views of a performer; one outcome each, in order.

        Raises NotFound for nobody's id, Unavailable when the database is not there: trying again is safe, and
        finds what was committed.
        """
        good = [view for view in views if self._is_good(view)]
        stored = iter(await self._changes.run(performer_id, self._store_and_add(performer_id, good)))
        return [_outcome(next(stored)) if self._is_good(view) else self._too_low(view) for view in views]

    async def forget(self, performer_id: str) -> int:
        """Delete a performer's rows and return how many this call deleted; nobody finds them afterwards.

        Raises Unavailable when the database is not there: the call must be repeated.
        """
        return await self._changes.run(performer_id, self._forget(performer_id))

    async def discard(self, performer_id: str, image_hash: str) -> int:
        """Delete what is enrolled of a performer from one image; how many observations this call deleted.

        Raises NotFound for nobody's id, Unavailable when the database is not there: repeat the call.
        """
        return await self._changes.run(performer_id, self._discard(performer_id, image_hash))

    async def _discard(self, performer_id: str, image_hash: str) -> int:
        deleted = await self._store.discard(performer_id, image_hash)
        await self._look()
        _log.info("discarded", performer_id=performer_id, deleted=deleted)
        return deleted

    async def _store_and_add(self, performer_id: str, views: Sequence[_ViewT]) -> list[Stored]:
        stored = await self._store.insert(performer_id, views)
        await self._look()
        accepted = sum(one.is_new and one.rejection is None for one in stored)
        _log.info("enrolled", performer_id=performer_id, accepted=accepted, offered=len(views))
        return stored

    async def _forget(self, performer_id: str) -> int:
        deleted = await self._store.forget(performer_id)
        await self._look()
        _log.info("forgotten", performer_id=performer_id, deleted=deleted)
        return deleted

    def _is_good(self, view: _ViewT) -> bool:
        return view.quality >= self._least_quality

    def _too_low(self, view: _ViewT) -> Outcome:
        detail = f"quality {view.quality:.2f} is under {self._least_quality:.2f}"
        return Outcome(Rejection.LOW_QUALITY, detail)


def _outcome(stored: Stored) -> Outcome:
    if stored.rejection is not None:
        return Outcome(stored.rejection, stored.detail)
    if stored.is_new:
        return Outcome()
    return Outcome(Rejection.DUPLICATE_IMAGE, "it is enrolled for the performer from this image already")
