"""What the owner says of tattoos: the stories. Committed and known here when they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from chassis.changes import Changes
from services.tattoo.owner_store import OwnerChange, OwnerStore

__all__ = ["OwnerChanges"]

_T = TypeVar("_T")
_log = structlog.get_logger()


class OwnerChanges:
    """Changes of one performer take turns with enrolments; `catch_up` is as in `Enrolment`.

    Every call raises NotFound for no such performer, tattoo or view, and as the database does.
    """

    def __init__(self, store: OwnerStore, catch_up: Callable[[], Awaitable[None]], changes: Changes) -> None:
        self._store = store
        self._catch_up = catch_up
        self._changes = changes

    async def update(self, performer_id: str, tattoo_id: str, change: OwnerChange) -> None:
        """Raises InvalidInput for a tattoo that would be gone before it came."""
        await self._run(performer_id, "changed", self._store.update(performer_id, tattoo_id, change))

    async def merge(self, performer_id: str, tattoo_ids: Sequence[str]) -> None:
        """The first one's id stays."""
        await self._run(performer_id, "merged", self._store.merge(performer_id, tattoo_ids))

    async def split(self, performer_id: str, tattoo_id: str, view_ids: Sequence[str]) -> str:
        """The id of the new tattoo. Raises InvalidInput when no view would be left."""
        return await self._run(performer_id, "split", self._store.split(performer_id, tattoo_id, view_ids))

    async def delete(self, performer_id: str, view_ids: Sequence[str]) -> None:
        """The views are not enrolled again from the same images."""
        await self._run(performer_id, "deleted", self._store.delete(performer_id, view_ids))

    async def _run(self, performer_id: str, what: str, change: Coroutine[Any, Any, _T]) -> _T:
        return await self._changes.run(performer_id, self._commit(performer_id, what, change))

    async def _commit(self, performer_id: str, what: str, change: Coroutine[Any, Any, _T]) -> _T:
        result = await change
        await self._catch_up()
        _log.info("tattoos changed by the owner", performer_id=performer_id, change=what)
        return result
