"""How much of what is enrolled the wanted embedders describe, counted no more often than it may cost."""

from __future__ import annotations

from collections.abc import Callable

from chassis.signal.model_set_store import ModelSetStore
from chassis.signal.model_sets import Progress, Sets

__all__ = ["Coverage"]

# Counting may take this share of the time: it reads an entry of an index for every vector.
_SHARE = 0.05


class Coverage:
    """The progress of a change as counted last."""

    def __init__(self, store: ModelSetStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._counted: int | None = None
        self._not_before = 0.0
        self.progress = Progress(0, 0)

    def __repr__(self) -> str:
        return f"<Coverage {self.progress.described} of {self.progress.observations}>"

    async def count(self, sets: Sets) -> None:
        """Count again where it is another set, or not everything was described and it is time."""
        is_new = sets.wanted.generation != self._counted
        is_steady = sets.preparing is None and self.progress.is_complete
        if not is_new and (is_steady or self._clock() < self._not_before):
            return
        start = self._clock()
        self.progress = await self._store.progress(sets)
        self._counted = sets.wanted.generation
        self._not_before = self._clock() + (self._clock() - start) / _SHARE
