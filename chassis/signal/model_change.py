"""Changing the embedders of a signal while it serves: adopted, prepared, switched at one moment.

The old set serves until enough of what is enrolled is described by the new one. docs/model-change.md has the
whole story.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import structlog

from chassis.errors import MarqueeError, ModelError
from chassis.signal.coverage import Coverage
from chassis.signal.followed import Followed
from chassis.signal.generations import InUse, Models, Row
from chassis.signal.known_rows import KnownRows
from chassis.signal.loaded import LoadedGenerations
from chassis.signal.model_set_store import ModelSetStore
from chassis.signal.model_sets import ModelKey, ModelRecord, ModelSet, Progress, Sets, is_another_file

__all__ = ["ModelChange"]

# Longer than any call that observed with the old set and has yet to score.
_GRACE_SECONDS = 60.0
# Between trials of a new model that does not run: reading a large file again and again is work, too.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0

_log = structlog.get_logger()
RowT = TypeVar("RowT", bound=Row)
KnownT = TypeVar("KnownT", bound=KnownRows[Any])


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
        self._clock = clock
        self._loaded = LoadedGenerations(models, grace_seconds=grace_seconds, clock=clock)
        self._coverage = Coverage(store, clock)
        self._sets: Sets | None = None
        self._own: dict[ModelKey, RowT] = {}
        self._turn = asyncio.Lock()
        self._problem, self._told, self._remark, self._loss = "", "", "", ""
        self._failing: dict[ModelKey, str] = {}
        self._pause, self._try_after = 0.0, 0.0

    def __repr__(self) -> str:
        return f"<ModelChange {self._loaded!r}, {self._coverage!r}>"

    @property
    def in_use(self) -> InUse[RowT, KnownT]:
        """Everything that one call needs; read it once a call. Raises ModelError before the first `adopt`."""
        return self._loaded.in_use

    @property
    def sets(self) -> Sets:
        """What is recorded, as of the last look. Raises ModelError before the first `adopt`."""
        if self._sets is None:
            raise ModelError("no embedder has been adopted yet")
        return self._sets

    @property
    def progress(self) -> Progress:
        """How far the change is, as counted last."""
        return self._coverage.progress

    @property
    def problem(self) -> str:
        """In words, what keeps the change from going on, or what one cost; "" when nothing does."""
        loss = "" if self.progress.is_complete else self._loss
        told = (self._problem, *self._failing.values(), self._remark, loss)
        return "; ".join(one for one in dict.fromkeys(told) if one)

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
            self._failing.clear()
            self._pause, self._try_after = 0.0, 0.0
            sets = await self._without_what_cannot_run(sets)
            await self._models.keep(list(self._own.values()))
            await self._become(sets)
        await self.check()

    async def check(self) -> None:
        """Look at the record and at the coverage, and go on where something is to be done."""
        async with self._turn:
            await self._loaded.drop_retired()
            await self._open_preparing()
            sets = await self._store.read() or self.sets
            await self._coverage.count(sets)
            if self._may_switch(sets):
                number = sets.wanted.generation
                sets = await self._store.switch(number, least_share=self.least_share) or sets
            await self._become(sets)

    async def ready(self) -> None:
        """Return when the embedders that serve can be run. Raises ModelError and Unavailable."""
        if not self._loaded.serves(self.sets.serving):
            raise ModelError(f"the models that serve now ({_names(self.sets.serving)}) do not run here")
        await self._models.open(self.in_use.serving.rows)

    def worked(self, row: RowT, failure: str = "") -> None:
        """An embedder that is being prepared described something; `failure` says why it could not.

        Then it describes again once it has been tried, and the failure is told until it describes something.
        """
        if not failure:
            self._failing.pop(row.key, None)
        elif row.key in {one.key for one in self.in_use.new_rows}:
            self._failing[row.key] = failure
            self._models.doubt(row.key)
            self._loaded.let_prepared_run(False)
            self._log_once(failure)

    @property
    def followed(self) -> tuple[Followed[Any, KnownT], ...]:
        """What follows the database here, of every generation."""
        return self._loaded.followed

    async def look(self) -> None:
        """Return when every generation has seen what was committed before. Raises as the database does."""
        await asyncio.gather(*(one.look() for one in self.followed))

    async def _become(self, sets: Sets) -> None:
        """Follow the record; where that fails and another set should serve by now, nothing is ready."""
        try:
            problem = await self._loaded.become(sets, self._own)
        finally:
            self._sets = sets
        if problem:
            self._tell(problem)
        elif sets.preparing is None:
            self._problem = ""
            self._failing.clear()

    async def _without_what_cannot_run(self, sets: Sets) -> Sets:
        """The sets; where those that serve cannot be run any more, the wanted one serves with what it has."""
        if sets.preparing is None or self._loaded.serves(sets.serving):
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
        rows = [await self._loaded.rebuilt(one) for one in records]
        if self.may_be_away:
            return
        try:
            await self._models.open(rows)
        except ModelError:
            await self._models.close(rows)
            raise

    async def _open_preparing(self) -> None:
        """Open what is being prepared; what fails is told, and tried again, less and less often."""
        preparing = self.in_use.preparing
        if preparing is None or self._clock() < self._try_after:
            return
        try:
            await self._models.open(preparing.rows)
            self._problem, self._pause = "", 0.0
        except MarqueeError as exc:
            self._tell(str(exc))
            self._pause = min(_LONGEST_PAUSE, 2 * self._pause or _FIRST_PAUSE)
        self._try_after = self._clock() + self._pause
        self._loaded.let_prepared_run(not self._problem)

    def _may_switch(self, sets: Sets) -> bool:
        """Whether what is prepared is what is recorded, runs here, and describes enough."""
        preparing = self.in_use.preparing
        if sets.preparing is None or preparing is None or not self.in_use.does_preparing_run:
            return False
        return preparing.number == sets.preparing.generation and self.progress.reaches(self.least_share)

    def _tell(self, problem: str) -> None:
        """Note what keeps the change from going on."""
        self._problem = problem
        self._log_once(problem)

    def _log_once(self, problem: str) -> None:
        if problem != self._told:
            _log.warning("the change of models does not go on", cause=problem)
        self._told = problem


def _remark_on(changed: Sequence[ModelKey]) -> str:
    if not changed:
        return ""
    names = ", ".join(" ".join(key) for key in changed)
    return f"another file than before for {names}: the one before goes on; give the new one another version"


def _names(models: ModelSet) -> str:
    return ", ".join(" ".join(key) for key in models.keys)
