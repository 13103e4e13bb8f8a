"""The generations of embedders that one process has in memory, brought to what is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Generic, TypeVar

import structlog

from chassis.errors import MarqueeError, ModelError
from chassis.signal.followed import Followed
from chassis.signal.generations import Generation, InUse, Models, Row
from chassis.signal.known_rows import KnownRows
from chassis.signal.model_sets import ModelKey, ModelRecord, ModelSet, Sets

__all__ = ["LoadedGenerations"]

_log = structlog.get_logger()
RowT = TypeVar("RowT", bound=Row)
KnownT = TypeVar("KnownT", bound=KnownRows[Any])


class LoadedGenerations(Generic[RowT, KnownT]):
    """Owns what is in use. Its coroutines take turns: the caller sees to that.

    grace_seconds: how long a set that serves no more is kept for calls that began with it.
    """

    def __init__(
        self, models: Models[RowT, KnownT], *, grace_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._models = models
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._in_use: InUse[RowT, KnownT] | None = None
        self._ends: dict[int, float] = {}

    def __repr__(self) -> str:
        numbers = [one.number for one in self._in_use.all] if self._in_use is not None else []
        return f"<LoadedGenerations {numbers}>"

    @property
    def in_use(self) -> InUse[RowT, KnownT]:
        """What is in use now. Raises ModelError before there was anything."""
        if self._in_use is None:
            raise ModelError("no embedder has been adopted yet")
        return self._in_use

    def serves(self, models: ModelSet) -> bool:
        """Whether this is the set that serves here."""
        return self._in_use is not None and self._in_use.serving.number == models.generation

    async def become(self, sets: Sets, own: Mapping[ModelKey, RowT]) -> str:
        """Let what is recorded be what is in use, by one assignment; `own` are rows of the settings.

        Returns why the set being prepared cannot be prepared here; "" when it can. What raises leaves in use
        what was: ModelError where the set that serves cannot be run, and what the database raises.
        """
        before = self._in_use
        if before is not None and _is_up_to_date(before, sets):
            return ""
        serving = await self._generation(sets.serving, own)
        preparing, problem = await self._prepared(sets, own)
        if before is None:
            self._in_use = InUse(serving, preparing)
            return problem
        if serving is before.serving:
            self._in_use = replace(before, preparing=preparing, does_preparing_run=False)
        else:
            await self._switch(before, serving, preparing)
        await self._close_unused(before)
        return problem

    def let_prepared_run(self, does_run: bool) -> None:
        """Whether what is being prepared describes from now on."""
        self._in_use = replace(self.in_use, does_preparing_run=does_run)

    async def drop_retired(self) -> None:
        """Let go of what served and whose time is over."""
        before, now = self.in_use, self._clock()
        kept = tuple(one for one in before.retired if self._ends[one.number] > now)
        if len(kept) < len(before.retired):
            self._in_use = replace(before, retired=kept)
            await self._close_unused(before)

    @property
    def followed(self) -> tuple[Followed[Any, KnownT], ...]:
        """What follows the database; nothing before there was anything in use."""
        return tuple(one.followed for one in self._in_use.all) if self._in_use is not None else ()

    async def rebuilt(self, record: ModelRecord) -> RowT:
        """See `Models.rebuilt`. In a thread: its file is verified, which takes a while."""
        return await asyncio.to_thread(self._models.rebuilt, record)

    async def _switch(
        self,
        before: InUse[RowT, KnownT],
        serving: Generation[RowT, KnownT],
        preparing: Generation[RowT, KnownT] | None,
    ) -> None:
        """Everything that is enrolled, by other processes too, is there before the new set serves."""
        await self._models.open(serving.rows)
        await serving.followed.catch_up()
        self._ends[before.serving.number] = self._clock() + self._grace_seconds
        self._in_use = InUse(serving, preparing, retired=(before.serving, *before.retired))
        _log.info("models switched", serving=[" ".join(key) for key in serving.keys])
        with suppress(MarqueeError):  # what was enrolled here meanwhile went past it; else it comes soon
            await serving.followed.catch_up()

    async def _generation(self, models: ModelSet, own: Mapping[ModelKey, RowT]) -> Generation[RowT, KnownT]:
        for generation in self._in_use.all if self._in_use is not None else ():
            if generation.number == models.generation:
                return generation
        rows = tuple([own.get(one.key) or await self.rebuilt(one) for one in models.models])
        followed = self._models.followed(rows)
        await followed.start()
        return Generation(models.generation, rows, followed)

    async def _prepared(
        self, sets: Sets, own: Mapping[ModelKey, RowT]
    ) -> tuple[Generation[RowT, KnownT] | None, str]:
        if sets.preparing is None:
            return None, ""
        try:
            return await self._generation(sets.preparing, own), ""
        except ModelError as exc:
            return None, str(exc)

    async def _close_unused(self, before: InUse[RowT, KnownT]) -> None:
        used = {row.key for row in self.in_use.rows}
        await self._models.close([row for row in before.rows if row.key not in used])
        for generation in before.all:
            if generation.number not in {one.number for one in self.in_use.all}:
                unused = [key for key in generation.keys if key not in used]
                await generation.followed.close(remove=unused)


def _is_up_to_date(in_use: InUse[RowT, KnownT], sets: Sets) -> bool:
    preparing = in_use.preparing.number if in_use.preparing is not None else None
    return (in_use.serving.number, preparing) == sets.generations
