"""Reading a folder into a server: performers, what is said of their tattoos, vectors; in this order.

Nothing is noted on the way: a portion is there when the server answered, and sending everything again
passes over what is there. So an import that was interrupted, however, is repeated.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from chassis.errors import InvalidInput, MarqueeError
from client.api import Marquee
from client.patience import TEMPORARY, until_back
from client.system import SystemStatus
from client.transfer.community_layout import DATABASE, CommunityExport
from client.transfer.folder import ExportFolder
from client.transfer.own_layout import FORMAT, OwnExport
from client.transfer.source import Incoming, IncomingPerformer, IncomingText, IncomingVector, VectorSet
from client.transfer.values import ImportedPerformer, NamedImage, TattooText, VectorRow
from client.values import Signal

__all__ = ["ImportSummary", "SetSummary", "import_from", "open_folder"]

_PERFORMERS, _TEXTS, _VECTORS, _IMAGES = 2000, 2000, 1000, 1000
_IN_FLIGHT = 2
_TRIES = 10
_NO_ID = "no id that another import could find them by"
_NO_PERFORMER = "position without a performer"
_REFUSED_PERFORMER = "of a performer who was refused"

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")
OnStep = Callable[[str, int], None]
"""What was sent, and how many more of it."""


@dataclass(slots=True)
class SetSummary:
    """What became of the vectors of one model."""

    signal: Signal
    model: str
    version: str
    stored: int = 0
    known: int = 0
    """They were there before."""
    left_out: Counter[str] = field(default_factory=Counter)
    """By reason, in words."""
    not_searchable: Counter[str] = field(default_factory=Counter)
    """Of those that are there now, by reason, in words."""


@dataclass(slots=True)
class ImportSummary:
    """What became of a folder."""

    created: int = 0
    known: int = 0
    """Performers who were there before."""
    refused: Counter[str] = field(default_factory=Counter)
    """Performers who were not stored, by reason, in words."""
    regions: int = 0
    """Body regions that are known to be tattooed, or clear, and were not before."""
    texts_without_region: int = 0
    sets: list[SetSummary] = field(default_factory=list)
    remarks: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether everything in the folder is stored now."""
        return not self.refused and not any(one.left_out for one in self.sets)


def open_folder(root: Path, *, adult_attested: bool, versions: Mapping[str, str]) -> Incoming:
    """The folder, verified as far as it is opened now.

    adult_attested: whether the owner attests adulthood of those without a birth date. versions: of models
    whose vectors were made elsewhere, by name, where they differ from what docs/transfer.md says. Raises
    InvalidInput.
    """
    folder = ExportFolder(root)
    if folder.manifest.get("format") == FORMAT:
        return OwnExport(folder, adult_attested=adult_attested)
    if folder.has(DATABASE):
        return CommunityExport(folder, adult_attested=adult_attested, versions=versions)
    raise InvalidInput(f"{root}: neither an export of Marquee nor a folder with {DATABASE}")


async def import_from(
    marquee: Marquee, incoming: Incoming, *, on_step: OnStep = lambda what, count: None
) -> ImportSummary:
    """Send everything; what became of it. Raises as the server and the folder do: then repeat it."""
    running = _Import(marquee, on_step)
    summary = running.summary
    summary.remarks = incoming.remarks
    await _at_a_time(_batches(incoming.performers(), _PERFORMERS), running.performers)
    async for texts in _batches(incoming.texts(), _TEXTS):
        await running.texts(texts)
    for each in incoming.sets:
        one = SetSummary(each.signal, each.model, each.version)
        summary.sets.append(one)
        await _at_a_time(_batches(each.vectors(), _VECTORS), partial(running.vectors, each, one))
        await running.note_images(least=1)
    return summary


class _Import:
    """One import as it goes on."""

    def __init__(self, marquee: Marquee, on_step: OnStep) -> None:
        self._marquee = marquee
        self._on_step = on_step
        self._ids: dict[str, str] = {}
        """By key; "" of those who were refused."""
        self._images: dict[tuple[str, str], NamedImage] = {}
        self.summary = ImportSummary()

    async def performers(self, batch: list[IncomingPerformer]) -> None:
        named = [one for one in batch if one.record.performer.id or one.record.performer.external_ids]
        self.summary.refused[_NO_ID] += len(batch) - len(named)
        self._ids.update((key, "") for one in batch for key in one.keys)
        if named:
            records = [one.record for one in named]
            results = await self._patiently(lambda: self._marquee.transfer.import_performers(records))
            for one, result in zip(named, results, strict=True):
                self._note(one, result)
        self.summary.refused = +self.summary.refused
        self._on_step("performers", len(batch))

    def _note(self, one: IncomingPerformer, result: ImportedPerformer) -> None:
        self._ids.update((key, result.id) for key in one.keys)
        if result.refusal is not None:
            self.summary.refused[result.refusal.value] += 1
        elif result.is_created:
            self.summary.created += 1
        else:
            self.summary.known += 1

    async def texts(self, batch: list[IncomingText]) -> None:
        texts = [
            TattooText(self._ids[one.key], one.location, one.description, one.source)
            for one in batch
            if self._ids.get(one.key)
        ]
        if texts:
            result = await self._patiently(
                lambda: self._marquee.transfer.import_tattoo_texts(texts), Signal.TATTOO
            )
            self.summary.regions += result.stored
            self.summary.texts_without_region += result.without_region
        self._on_step("tattoo texts", len(batch))

    async def vectors(self, model: VectorSet, summary: SetSummary, batch: list[IncomingVector]) -> None:
        rows = []
        for one in batch:
            if performer_id := self._ids.get(one.key, ""):
                rows.append(VectorRow(performer_id, model.model, model.version, one.vector, one.seen))
                self._name_image(performer_id, one)
            else:
                summary.left_out[_REFUSED_PERFORMER if one.key in self._ids else _NO_PERFORMER] += 1
        if rows:
            await self._send(model, summary, rows)
        await self.note_images(least=_IMAGES)
        self._on_step(f"{model.signal.value} vectors", len(batch))

    async def _send(self, model: VectorSet, summary: SetSummary, rows: list[VectorRow]) -> None:
        result = await self._patiently(
            lambda: self._marquee.transfer.import_vectors(model.signal, rows), model.signal
        )
        summary.stored += result.stored
        summary.known += result.known
        for one in result.rejected:
            summary.left_out[one.detail or one.reason.value] += 1
        for other in result.not_searchable:
            summary.not_searchable[other.reason] += other.observations

    def _name_image(self, performer_id: str, one: IncomingVector) -> None:
        key = (performer_id, one.seen.uri)
        if one.source and one.seen.uri.startswith(("http://", "https://")):
            self._images[key] = NamedImage(performer_id, one.seen.uri, one.source)

    async def note_images(self, *, least: int) -> None:
        """Tell the catalogue which pictures there are, once at least so many wait."""
        while len(self._images) >= least:
            some = dict(islice(self._images.items(), _IMAGES))
            images = list(some.values())
            await self._patiently(partial(self._marquee.transfer.note_images, images))
            for key in some:
                del self._images[key]

    async def _patiently(
        self, call: Callable[[], Awaitable[_Answer]], signal: Signal | None = None
    ) -> _Answer:
        """Make a call again when the server comes back: what it did is not done twice."""
        for _ in range(_TRIES):
            try:
                return await call()
            except TEMPORARY:
                await until_back(self._marquee, lambda seen: _is_ready(seen, signal))
        return await call()


def _is_ready(seen: SystemStatus, signal: Signal | None) -> bool:
    return seen.gateway.is_ready and (signal is None or seen.signals[signal].is_ready)


async def _at_a_time(
    batches: AsyncIterator[list[_Item]], send: Callable[[list[_Item]], Awaitable[None]]
) -> None:
    """Send batches, two at a time: one is checked here or there while another is written."""
    free = asyncio.Semaphore(_IN_FLIGHT)

    async def one(batch: list[_Item]) -> None:
        try:
            await send(batch)
        finally:
            free.release()

    try:
        async with asyncio.TaskGroup() as tasks:
            await free.acquire()
            async for batch in batches:
                tasks.create_task(one(batch))
                await free.acquire()
    except* MarqueeError as group:
        raise group.exceptions[0] from None


async def _batches(items: Iterator[_Item], size: int) -> AsyncIterator[list[_Item]]:
    """Some items at a time; the next ones are read while the last ones are worked on."""

    def read() -> list[_Item]:
        return list(islice(items, size))

    reading = asyncio.create_task(asyncio.to_thread(read))
    try:
        while batch := await reading:
            reading = asyncio.create_task(asyncio.to_thread(read))
            yield batch
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
