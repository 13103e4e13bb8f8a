"""Changing the embedders of a signal while it serves: adopted, prepared, switched at one moment.

The old set serves until enough of what is enrolled is described by the new one. docs/model-change.md has the
whole story.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

import structlog

from chassis.errors import MarqueeError, ModelError, Unavailable
from chassis.signal.model_sets import ModelKey, ModelRecord, ModelSet, ModelSetStore, Progress, Sets

__all__ = ["Row", "Known", "Models", "Generation", "InUse", "ModelChange", "Everywhere", "start_with"]

_POLL_SECONDS = 2.0
# Longer than any call that observed with the old set and has yet to score.
_GRACE_SECONDS = 60.0

_log = structlog.get_logger()


class Row(Protocol):
    """One embedder of a signal's model table."""

    @property
    def key(self) -> ModelKey: ...


class Known(Protocol):
    """Enrolled vectors in memory, of the embedders of one set; safe to use from many threads."""

    def add(self, rows: Sequence[Any], /) -> None:
        """Add committed rows; those of other embedders, and those that are or were here, change nothing."""

    def forget(self, performer_id: str, /) -> int:
        """Make a performer unknown and return how many rows were here."""


RowT = TypeVar("RowT", bound=Row)
KnownT = TypeVar("KnownT", bound=Known)


class Models(Protocol[RowT, KnownT]):
    """What a signal does with its embedders."""

    def record(self, row: RowT) -> ModelRecord:
        """All that is needed to run the embedder again."""

    def rebuilt(self, record: ModelRecord) -> RowT:
        """The embedder of a record. Raises ModelError when this version of the code, or its file, is gone."""

    def new_known(self, rows: Sequence[RowT]) -> KnownT:
        """Room for what these embedders describe."""

    async def load(self, known: KnownT, keys: Sequence[ModelKey]) -> None:
        """Add every stored row of these embedders."""

    async def open(self, rows: Sequence[RowT]) -> None:
        """Return when these embedders run and do what they should. Raises ModelError and Unavailable."""

    async def keep(self, rows: Sequence[RowT]) -> None:
        """Keep the files of these embedders, whatever becomes of the originals. Logs when it cannot."""

    async def close(self, rows: Sequence[RowT]) -> None:
        """These embedders are not needed any more."""


@dataclass(frozen=True, slots=True)
class Generation(Generic[RowT, KnownT]):
    """A set of embedders and what they describe."""

    number: int
    rows: tuple[RowT, ...]
    """The primary first."""
    known: KnownT

    @property
    def keys(self) -> tuple[ModelKey, ...]:
        return tuple(row.key for row in self.rows)


@dataclass(frozen=True, slots=True)
class InUse(Generic[RowT, KnownT]):
    """What is in use at one moment; a change replaces it as a whole."""

    serving: Generation[RowT, KnownT]
    preparing: Generation[RowT, KnownT] | None = None
    previous: Generation[RowT, KnownT] | None = None
    """Served until lately, kept for calls that began with it."""

    @property
    def all(self) -> tuple[Generation[RowT, KnownT], ...]:
        found = (self.serving, self.preparing, self.previous)
        return tuple(one for one in found if one is not None)

    @property
    def new_rows(self) -> tuple[RowT, ...]:
        """Embedders being prepared that do not serve already."""
        rows = self.preparing.rows if self.preparing is not None else ()
        return tuple(row for row in rows if row.key not in self.serving.keys)

    def of(self, generation: int) -> Generation[RowT, KnownT]:
        """The generation that a template was made in, while it is kept; else the one that serves."""
        if self.previous is not None and self.previous.number == generation:
            return self.previous
        return self.serving


class ModelChange(Generic[RowT, KnownT]):
    """Owns which embedders are in use; `in_use` is None until the first `adopt`.

    least_share: share 0..1 of what is enrolled that a new set must describe before it serves.
    """

    def __init__(
        self,
        models: Models[RowT, KnownT],
        store: ModelSetStore,
        *,
        least_share: float,
        poll_seconds: float = _POLL_SECONDS,
        grace_seconds: float = _GRACE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._store = store
        self.least_share = least_share
        self._poll_seconds = poll_seconds
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._in_use: InUse[RowT, KnownT] | None = None
        self._sets: Sets | None = None
        self._previous_ends = 0.0
        self._forgotten: set[str] = set()
        self._turn = asyncio.Lock()
        self._hurry = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.progress = Progress(0, 0)
        self.problem = ""

    def __repr__(self) -> str:
        preparing = self.in_use.preparing
        state = f"preparing {preparing.keys}" if preparing else "steady"
        return f"<ModelChange {state}, {self.progress.described} of {self.progress.observations}>"

    @property
    def in_use(self) -> InUse[RowT, KnownT]:
        """Everything that one call needs; read it once a call."""
        if self._in_use is None:
            raise ModelError("no embedder has been adopted yet")
        return self._in_use

    @property
    def sets(self) -> Sets:
        """What is recorded, as of the last look."""
        if self._sets is None:
            raise ModelError("no embedder has been adopted yet")
        return self._sets

    async def adopt(self, wanted: Sequence[RowT]) -> None:
        """Want these embedders from now on: they serve at once, or are prepared while others serve.

        Raises ModelError when the embedders that should serve cannot be run, Unavailable without a database.
        """
        async with self._turn:
            sets = await self._store.adopt([self._models.record(row) for row in wanted])
            sets = await self._without_what_cannot_run(sets, wanted)
            await self._models.keep(wanted)
            await self._become(sets, {row.key: row for row in wanted})
        await self.check()

    async def check(self) -> None:
        """Look at the record and at the coverage, and go on where something is to be done."""
        async with self._turn:
            await self._drop_previous()
            await self._open_preparing()
            sets = await self._store.read() or self.sets
            if sets.preparing is not None or not self.progress.is_complete or sets != self._sets:
                self.progress = await self._store.progress(sets)
            if self._may_switch(sets):
                sets = await self._store.switch(sets.wanted.generation) or sets
            await self._follow(sets)

    async def ready(self) -> None:
        """Return when the embedders that serve can be run. Raises ModelError and Unavailable."""
        if self.in_use.serving.number != self.sets.serving.generation:
            names = ", ".join(" ".join(key) for key in self.sets.serving.keys)
            raise ModelError(f"the models that serve now ({names}) do not run here: start again with them")
        await self._models.open(self.in_use.serving.rows)

    def hurry(self) -> None:
        """Something was enrolled: look at the coverage soon. May be called from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._hurry.set)

    def forget(self, performer_id: str) -> int:
        """Make a performer unknown in every generation; how many rows the serving one had."""
        self._forgotten.add(performer_id)
        counts = [generation.known.forget(performer_id) for generation in self.in_use.all]
        return counts[0]

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

    # --- steps ---

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._poll_seconds)
            self._hurry.clear()
            try:
                await self.check()
            except MarqueeError as exc:  # the database is away: what is loaded goes on serving
                _log.warning("the models cannot be looked after now", cause=str(exc))
            except Exception:  # whatever it is, the next look may go well
                _log.exception("looking after the models failed")

    async def _without_what_cannot_run(self, sets: Sets, wanted: Sequence[RowT]) -> Sets:
        """The sets; where those that serve cannot be run any more, the wanted one serves with what it has."""
        if sets.preparing is None:
            return sets
        try:
            for record in sets.serving.models:
                if record.key not in {row.key for row in wanted}:
                    self._models.rebuilt(record)
        except ModelError as exc:
            self._tell_problem(f"the embedders that served cannot be run any more: {exc}")
            return await self._store.switch(sets.preparing.generation) or sets
        return sets

    async def _become(self, sets: Sets, own: dict[ModelKey, RowT]) -> None:
        """Load and open what is missing, then replace what is in use by one assignment."""
        serving = await self._generation(sets.serving, own)
        preparing = await self._generation(sets.preparing, own) if sets.preparing is not None else None
        self._sets = sets
        self.progress = await self._store.progress(sets)
        before, self._in_use = self._in_use, InUse(serving, preparing)
        if before is not None:
            await self._close_unused(before)

    async def _generation(self, models: ModelSet, own: dict[ModelKey, RowT]) -> Generation[RowT, KnownT]:
        for generation in self._in_use.all if self._in_use is not None else ():
            if generation.number == models.generation:
                return generation
        rows = tuple(own.get(one.key) or self._models.rebuilt(one) for one in models.models)
        known = self._models.new_known(rows)
        await self._load(known, models.keys)
        return Generation(models.generation, rows, known)

    async def _load(self, known: KnownT, keys: Sequence[ModelKey]) -> None:
        await self._models.load(known, keys)
        for performer_id in list(self._forgotten):  # it may have been read before it was deleted
            known.forget(performer_id)

    def _may_switch(self, sets: Sets) -> bool:
        """Whether what is prepared is what is recorded, runs here, and describes enough."""
        preparing = self.in_use.preparing
        if sets.preparing is None or preparing is None or self.problem:
            return False
        return preparing.number == sets.preparing.generation and self.progress.reaches(self.least_share)

    async def _open_preparing(self) -> None:
        """Open what is being prepared; what fails is told, and tried again at the next look."""
        preparing = self.in_use.preparing
        if preparing is None:
            return
        try:
            await self._models.open(preparing.rows)
        except MarqueeError as exc:
            self._tell_problem(str(exc))
        else:
            self.problem = ""

    async def _follow(self, sets: Sets) -> None:
        """Let what is recorded be what is in use, as far as it runs here."""
        in_use = self.in_use
        prepared = in_use.preparing
        if prepared is not None and sets.serving.generation == prepared.number:
            # What other processes enrolled meanwhile is read once more; then one assignment switches.
            await self._load(prepared.known, prepared.keys)
            self._previous_ends = self._clock() + self._grace_seconds
            self._in_use = InUse(prepared, None, in_use.serving)
            _log.info("models switched", serving=[" ".join(key) for key in prepared.keys])
        self._sets = sets

    async def _drop_previous(self) -> None:
        if self.in_use.previous is None or self._clock() < self._previous_ends:
            return
        before, self._in_use = self.in_use, replace(self.in_use, previous=None)
        await self._close_unused(before)

    async def _close_unused(self, before: InUse[RowT, KnownT]) -> None:
        used = {key for generation in self.in_use.all for key in generation.keys}
        rows = {row.key: row for generation in before.all for row in generation.rows}
        await self._models.close([row for key, row in rows.items() if key not in used])

    def _tell_problem(self, problem: str) -> None:
        if problem != self.problem:
            _log.warning("the change of models does not go on", cause=problem)
        self.problem = problem


class Everywhere(Generic[RowT, KnownT]):
    """Enrolled vectors of every generation in use, as enrolment adds and forgets them."""

    def __init__(self, change: ModelChange[RowT, KnownT]) -> None:
        self._change = change

    def add(self, rows: Sequence[Any]) -> None:
        for generation in self._change.in_use.all:
            generation.known.add(rows)
        self._change.hurry()

    def forget(self, performer_id: str) -> int:
        return self._change.forget(performer_id)


async def start_with(change: ModelChange[RowT, KnownT], wanted: Sequence[RowT], *, may_be_away: bool) -> None:
    """Adopt embedders at the start of a process.

    may_be_away: whether models run on a server, which may come later: readiness tells until then. Raises
    ModelError when embedders that should serve, and run here, cannot be run.
    """
    await change.adopt(wanted)
    try:
        await change.ready()
    except (ModelError, Unavailable) as exc:
        if not may_be_away:
            raise
        _log.warning("the models cannot be run yet", cause=str(exc))
