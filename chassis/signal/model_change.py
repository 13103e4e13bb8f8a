"""Changing the embedders of a signal while it serves: adopted, prepared, switched at one moment.

The old set serves until enough of what is enrolled is described by the new one. docs/model-change.md has the
whole story.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import structlog

from chassis.errors import MarqueeError, ModelError
from chassis.signal.generations import Generation, InUse, Known, Models, Row
from chassis.signal.model_set_store import ModelSetStore
from chassis.signal.model_sets import ModelKey, ModelRecord, ModelSet, Progress, Sets, is_another_file

__all__ = ["ModelChange"]

# Longer than any call that observed with the old set and has yet to score.
_GRACE_SECONDS = 60.0
# Counting may take this share of the database's time: it reads a row of every vector.
_COUNTING_SHARE = 0.05

_log = structlog.get_logger()
RowT = TypeVar("RowT", bound=Row)
KnownT = TypeVar("KnownT", bound=Known)


class ModelChange(Generic[RowT, KnownT]):
    """Owns which embedders are in use.

    least_share: share 0..1 of what is enrolled that a new set must describe before it serves; may_be_away:
    whether models run on a server, which may come later: what cannot be run now is then waited for.
    """

    def __init__(
        self,
        models: Models[RowT, KnownT],
        store: ModelSetStore,
        *,
        least_share: float,
        may_be_away: bool = False,
        grace_seconds: float = _GRACE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._store = store
        self.least_share = least_share
        self.may_be_away = may_be_away
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._in_use: InUse[RowT, KnownT] | None = None
        self._sets: Sets | None = None
        self._own: dict[ModelKey, RowT] = {}
        self._ends: dict[int, float] = {}
        self._forgotten: set[str] = set()
        self._turn = asyncio.Lock()
        self._counted: int | None = None
        self._count_after = 0.0
        self._problem, self._told, self._remark, self._loss = "", "", "", ""
        self.progress = Progress(0, 0)

    def __repr__(self) -> str:
        preparing = self._in_use.preparing if self._in_use is not None else None
        state = f"preparing {preparing.keys}" if preparing else "steady"
        return f"<ModelChange {state}, {self.progress.described} of {self.progress.observations}>"

    @property
    def in_use(self) -> InUse[RowT, KnownT]:
        """Everything that one call needs; read it once a call. Raises ModelError before the first `adopt`."""
        if self._in_use is None:
            raise ModelError("no embedder has been adopted yet")
        return self._in_use

    @property
    def sets(self) -> Sets:
        """What is recorded, as of the last look. Raises ModelError before the first `adopt`."""
        if self._sets is None:
            raise ModelError("no embedder has been adopted yet")
        return self._sets

    @property
    def problem(self) -> str:
        """In words, what keeps the change from going on, or what one cost; "" when nothing does."""
        loss = "" if self.progress.is_complete else self._loss
        return "; ".join(one for one in (self._problem, self._remark, loss) if one)

    async def adopt(self, wanted: Sequence[RowT]) -> None:
        """Want these embedders from now on: they serve at once, or are prepared while others serve.

        Raises ModelError when the embedders that should serve cannot be run, Unavailable without a database.
        """
        async with self._turn:
            records = {row.key: self._models.record(row) for row in wanted}
            sets = await self._store.adopt(list(records.values()))
            changed = [key for key, one in records.items() if is_another_file(one, sets.records[key])]
            self._own = {row.key: row for row in wanted if row.key not in changed}
            self._problem, self._loss, self._remark = "", "", _remark_on(changed)
            sets = await self._without_what_cannot_run(sets)
            await self._models.keep(list(self._own.values()))
            await self._become(sets)
        await self.check()

    async def check(self) -> None:
        """Look at the record and at the coverage, and go on where something is to be done."""
        async with self._turn:
            await self._drop_retired()
            await self._open_preparing()
            sets = await self._store.read() or self.sets
            await self._count(sets)
            if self._may_switch(sets):
                number = sets.wanted.generation
                sets = await self._store.switch(number, least_share=self.least_share) or sets
            await self._become(sets)

    async def ready(self) -> None:
        """Return when the embedders that serve can be run. Raises ModelError and Unavailable."""
        if self.in_use.serving.number != self.sets.serving.generation:
            raise ModelError(f"the models that serve now ({_names(self.sets.serving)}) do not run here")
        await self._models.open(self.in_use.serving.rows)

    def failed(self, row: RowT, cause: str) -> None:
        """An embedder that is being prepared failed at work: it describes again once it has been tried."""
        if row.key in {one.key for one in self.in_use.new_rows}:
            self._models.doubt(row.key)
            self._in_use = replace(self.in_use, does_preparing_run=False)
            self._tell(cause)

    def forget(self, performer_id: str) -> int:
        """Make a performer unknown in every generation; how many rows the serving one had."""
        self._forgotten.add(performer_id)
        counts = [generation.known.forget(performer_id) for generation in self.in_use.all]
        return counts[0]

    # --- what is in use ---

    async def _become(self, sets: Sets) -> None:
        """Let what is recorded be what is in use, by one assignment.

        What fails leaves in use what was; where another set should serve by now, nothing is ready then.
        """
        try:
            if self._in_use is None or self._differs(self._in_use, sets):
                await self._replace(sets)
        finally:
            self._sets = sets

    def _differs(self, in_use: InUse[RowT, KnownT], sets: Sets) -> bool:
        preparing = in_use.preparing.number if in_use.preparing is not None else None
        return (in_use.serving.number, preparing) != sets.generations

    async def _replace(self, sets: Sets) -> None:
        before = self._in_use
        serving = await self._generation(sets.serving)
        preparing = await self._prepared(sets)
        if before is None:
            self._in_use = InUse(serving, preparing)
        elif serving is before.serving:
            self._in_use = replace(before, preparing=preparing, does_preparing_run=False)
        else:
            await self._switch(before, serving, preparing)
        if before is not None:
            await self._close_unused(before)

    async def _switch(
        self,
        before: InUse[RowT, KnownT],
        serving: Generation[RowT, KnownT],
        preparing: Generation[RowT, KnownT] | None,
    ) -> None:
        """Everything that is enrolled, by other processes too, is there before the new set serves."""
        await self._models.open(serving.rows)
        await self._load(serving)
        self._ends[before.serving.number] = self._clock() + self._grace_seconds
        self._in_use = InUse(serving, preparing, retired=(before.serving, *before.retired))
        _log.info("models switched", serving=[" ".join(key) for key in serving.keys])
        if serving not in before.all:  # what was enrolled here while it was loaded went past it
            await self._load(serving)

    async def _generation(self, models: ModelSet) -> Generation[RowT, KnownT]:
        for generation in self._in_use.all if self._in_use is not None else ():
            if generation.number == models.generation:
                return generation
        rows = tuple([self._own.get(one.key) or await self._rebuilt(one) for one in models.models])
        generation = Generation(models.generation, rows, self._models.new_known(rows))
        await self._load(generation)
        return generation

    async def _rebuilt(self, record: ModelRecord) -> RowT:
        return await asyncio.to_thread(
            self._models.rebuilt, record
        )  # its file is verified, which takes a while

    async def _prepared(self, sets: Sets) -> Generation[RowT, KnownT] | None:
        """What is being prepared; None where nothing is, or it cannot be prepared here."""
        if sets.preparing is None:
            self._problem = ""
            return None
        try:
            return await self._generation(sets.preparing)
        except ModelError as exc:
            self._tell(str(exc))
            return None

    async def _load(self, generation: Generation[RowT, KnownT]) -> None:
        await self._models.load(generation.known, generation.keys)
        for performer_id in list(self._forgotten):  # it may have been read before it was deleted
            generation.known.forget(performer_id)

    async def _drop_retired(self) -> None:
        before, now = self.in_use, self._clock()
        kept = tuple(one for one in before.retired if self._ends[one.number] > now)
        if len(kept) < len(before.retired):
            self._in_use = replace(before, retired=kept)
            await self._close_unused(before)

    async def _close_unused(self, before: InUse[RowT, KnownT]) -> None:
        used = {row.key for row in self.in_use.rows}
        await self._models.close([row for row in before.rows if row.key not in used])

    # --- how far the change is ---

    async def _without_what_cannot_run(self, sets: Sets) -> Sets:
        """The sets; where those that serve cannot be run any more, the wanted one serves with what it has."""
        runs = self._in_use is not None and self._in_use.serving.number == sets.serving.generation
        if sets.preparing is None or runs:
            return sets
        try:
            await self._try([one for one in sets.serving.models if one.key not in self._own])
        except ModelError as exc:
            self._loss = f"the embedders that served cannot be run any more: {exc}"
            _log.warning("new models serve with what they describe", cause=self._loss)
            return await self._store.switch(sets.preparing.generation, least_share=0) or sets
        return sets

    async def _try(self, records: Sequence[ModelRecord]) -> None:
        """Raises ModelError for embedders that cannot be run, nor be waited for."""
        rows = [await self._rebuilt(one) for one in records]
        if self.may_be_away:
            return
        try:
            await self._models.open(rows)
        except ModelError:
            await self._models.close(rows)
            raise

    async def _open_preparing(self) -> None:
        """Open what is being prepared; what fails is told, and tried again at the next look."""
        preparing = self.in_use.preparing
        if preparing is None:
            return
        try:
            await self._models.open(preparing.rows)
            self._problem = ""
        except MarqueeError as exc:
            self._tell(str(exc))
        self._in_use = replace(self.in_use, does_preparing_run=not self._problem)

    async def _count(self, sets: Sets) -> None:
        """Count what is described, where it is not all, as often as the time it takes allows."""
        is_new = sets.wanted.generation != self._counted
        is_steady = sets.preparing is None and self.progress.is_complete
        if not is_new and (is_steady or self._clock() < self._count_after):
            return
        start = self._clock()
        self.progress = await self._store.progress(sets)
        self._counted = sets.wanted.generation
        self._count_after = self._clock() + (self._clock() - start) / _COUNTING_SHARE

    def _may_switch(self, sets: Sets) -> bool:
        """Whether what is prepared is what is recorded, runs here, and describes enough."""
        preparing = self.in_use.preparing
        if sets.preparing is None or preparing is None or not self.in_use.does_preparing_run:
            return False
        return preparing.number == sets.preparing.generation and self.progress.reaches(self.least_share)

    def _tell(self, problem: str) -> None:
        """Note what keeps the change from going on; the log has it once."""
        if problem != self._told:
            _log.warning("the change of models does not go on", cause=problem)
        self._problem = self._told = problem


def _remark_on(changed: Sequence[ModelKey]) -> str:
    if not changed:
        return ""
    names = ", ".join(" ".join(key) for key in changed)
    return f"another file than before for {names}: the one before goes on; give the new one another version"


def _names(models: ModelSet) -> str:
    return ", ".join(" ".join(key) for key in models.keys)
