"""Which embedders one process uses at one moment, and what they describe. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from chassis.signal.followed import Followed
from chassis.signal.known_rows import KnownRows
from chassis.signal.model_sets import ModelKey, ModelRecord

__all__ = ["Row", "Models", "Generation", "InUse"]


class Row(Protocol):
    """One embedder of a signal's model table."""

    @property
    def key(self) -> ModelKey: ...


RowT = TypeVar("RowT", bound=Row)
KnownT = TypeVar("KnownT", bound=KnownRows[Any])


class Models(Protocol[RowT, KnownT]):
    """What a signal does with its embedders."""

    def record(self, row: RowT) -> ModelRecord:
        """All that is needed to run the embedder again."""

    def rebuilt(self, record: ModelRecord) -> RowT:
        """The embedder of a record. Raises ModelError when this version of the code, or its file, is gone."""

    def followed(self, rows: Sequence[RowT]) -> Followed[Any, KnownT]:
        """What is enrolled as these embedders describe it; it is not started yet."""

    async def open(self, rows: Sequence[RowT]) -> None:
        """Return when these embedders run and do what they should. Raises ModelError and Unavailable."""

    def doubt(self, key: ModelKey) -> None:
        """Try this embedder again when it is opened next: it failed."""

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
    followed: Followed[Any, KnownT]

    @property
    def known(self) -> KnownT:
        """What the embedders describe, as of now."""
        return self.followed.known

    @property
    def keys(self) -> tuple[ModelKey, ...]:
        return tuple(row.key for row in self.rows)


@dataclass(frozen=True, slots=True)
class InUse(Generic[RowT, KnownT]):
    """What is in use at one moment; a change replaces it as a whole."""

    serving: Generation[RowT, KnownT]
    preparing: Generation[RowT, KnownT] | None = None
    does_preparing_run: bool = False
    """Whether what is being prepared could be run when it was looked at last."""
    retired: tuple[Generation[RowT, KnownT], ...] = ()
    """Served until lately, kept for calls that began with them; the latest first."""

    @property
    def all(self) -> tuple[Generation[RowT, KnownT], ...]:
        """Those that serve, are prepared and are retired, in this order."""
        return (self.serving, *([self.preparing] if self.preparing is not None else ()), *self.retired)

    @property
    def rows(self) -> tuple[RowT, ...]:
        """Every embedder once, those that serve first."""
        found: dict[ModelKey, RowT] = {}
        for row in (row for generation in self.all for row in generation.rows):
            found.setdefault(row.key, row)
        return tuple(found.values())

    @property
    def new_rows(self) -> tuple[RowT, ...]:
        """Embedders being prepared that do not serve already."""
        rows = self.preparing.rows if self.preparing is not None else ()
        return tuple(row for row in rows if row.key not in self.serving.keys)

    @property
    def further(self) -> tuple[RowT, ...]:
        """What describes besides the embedders that serve: those being prepared, while they run."""
        return self.new_rows if self.does_preparing_run else ()

    def of(self, made_in: Collection[int]) -> Generation[RowT, KnownT]:
        """The one generation to compare templates by that were made in these generations.

        The newest of those that are here; the one that serves where none is. Templates made while it was
        prepared have its vectors, too. So what one generation observed it also scores, a while after another
        one serves here, or a while before, where another process switched first.
        """
        known = [one for one in self.all if one.number in made_in]
        return max(known, key=lambda one: one.number, default=self.serving)
