"""The embedders of a signal as they are opened, tried, kept and closed: what every signal does alike."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import structlog

from chassis.errors import MarqueeError, ModelError
from chassis.inference import Inference, ModelFile
from chassis.models import ModelStore
from chassis.signal.model_sets import ModelKey
from chassis.work import WorkPool

__all__ = ["EmbedderRow", "OpenedEmbedders"]

_log = structlog.get_logger()


class EmbedderRow(Protocol):
    """A row of a signal's model table."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def key(self) -> ModelKey: ...

    @property
    def model(self) -> str:
        """What the model runs under."""

    @property
    def file(self) -> Path | None:
        """The owner's file."""


RowT = TypeVar("RowT", bound=EmbedderRow)


class OpenedEmbedders(ABC, Generic[RowT]):
    """Half of `chassis.signal.model_change.Models`: the half that needs no rows of vectors.

    are_elsewhere: whether a model server runs them, so that their files are not needed here.
    """

    def __init__(
        self, inference: Inference, work: WorkPool, files: ModelStore, *, are_elsewhere: bool
    ) -> None:
        self._inference = inference
        self._work = work
        self._files = files
        self._are_elsewhere = are_elsewhere
        self._opened: set[ModelKey] = set()
        self._tried: set[ModelKey] = set()

    @abstractmethod
    def file_of(self, row: RowT) -> ModelFile:
        """The embedder's model. Raises ModelError when it should run here and is not there."""

    @abstractmethod
    async def try_out(self, row: RowT) -> None:
        """Run the embedder once. Raises ModelError when it does not give what its row says."""

    async def open(self, rows: Sequence[RowT]) -> None:
        """Return when these embedders run and do what they should. Raises ModelError and Unavailable.

        Each is tried when it is new or has been away. One that does not run leaves the others as they are.
        """
        for row in rows:
            try:
                await self._open(row)
                await self._inference.ready([row.model])
            except MarqueeError:
                self._tried.discard(row.key)
                raise
            if row.key not in self._tried:
                await self.try_out(row)
                self._tried.add(row.key)

    def doubt(self, key: ModelKey) -> None:
        """Try this embedder again when it is opened next: it failed."""
        self._tried.discard(key)

    async def keep(self, rows: Sequence[RowT]) -> None:
        """Keep the files of these embedders, whatever becomes of the originals."""
        for row in rows:
            if row.file is None or self._are_elsewhere:
                continue
            try:
                # In a thread of its own: what serves must not be refused as overload.
                await asyncio.to_thread(self._files.keep, row.name, row.version, row.file)
            except ModelError as exc:
                _log.warning("a changed file would end what it serves", model=row.name, cause=str(exc))

    async def close(self, rows: Sequence[RowT]) -> None:
        """These embedders are not needed any more."""
        for row in rows:
            self._opened.discard(row.key)
            self._tried.discard(row.key)
            await self._inference.remove(row.model)

    async def _open(self, row: RowT) -> None:
        if row.key in self._opened:  # its file was verified then, which takes a while
            return
        await self._inference.add(row.model, await asyncio.to_thread(self.file_of, row))
        self._opened.add(row.key)
        _log.info("embedder", model=row.name, version=row.version)
