"""What one process knows of a signal's rows, kept as the database has it.

A replica starts from snapshots where they are good, compares them with the database row by row, and follows.
Where following is not enough (another database, a restored one) it reads everything anew, and what it knew
until then serves meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

import structlog

from chassis.errors import Conflict
from chassis.gallery import Gallery
from chassis.recall import Recall, measure_recall
from chassis.signal.feed import Delta, Feed, Listing, Moment
from chassis.signal.index_files import IndexFiles
from chassis.signal.known_rows import (
    KnownRows,
    RowReader,
    RowSource,
    differences,
    missing,
    owned_by_performer,
    touched,
)
from chassis.signal.model_sets import ModelKey

__all__ = ["Followed", "FollowState"]

# Notes of withdrawals are kept for longer than this, see `FollowWatch`; who looks later compares everything.
_TRUSTED = timedelta(minutes=30)
_log = structlog.get_logger()

RowT = TypeVar("RowT")
_ResultT = TypeVar("_ResultT")


_KnownT = TypeVar("_KnownT", bound=KnownRows[Any])


@dataclass(frozen=True, slots=True)
class FollowState:
    """How well a process follows."""

    moment: Moment | None = None
    """As of when everything is known; None before the start is over."""
    caught_up_at: float = 0.0
    """Of the monotonic clock, seconds: when the database was looked at last."""
    rebuilding: str = ""
    """Why everything is being read anew, in words; "" while it is not."""


class Followed(Generic[RowT, _KnownT]):
    """Owns what is known of some models' rows. Every coroutine raises as the database does.

    new_known: room for the rows of these models; files: where indexes are kept; None: nowhere.
    """

    def __init__(
        self,
        feed: Feed,
        source: RowSource[RowT],
        new_known: Callable[[], _KnownT],
        keys: Sequence[ModelKey],
        files: IndexFiles | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feed = feed
        self._reader = RowReader(source)
        self._new_known = new_known
        self.keys = tuple(keys)
        self.files = files
        self._clock = clock
        self._known = new_known()
        self._turn = asyncio.Lock()
        self._next_look: asyncio.Task[None] | None = None
        self._is_sure = False
        self.state = FollowState()
        self.recalls: dict[ModelKey, Recall] = {}
        """As measured last, by model."""

    def __repr__(self) -> str:
        return f"<Followed {self.keys}, {self.state}>"

    @property
    def known(self) -> _KnownT:
        """What is known now; read it once a call, because a rebuild replaces it."""
        return self._known

    @property
    def problem(self) -> str:
        """What is wrong with rows or files, in words; "" when nothing is."""
        files = self.files.problem if self.files is not None else ""
        return "; ".join(filter(None, (self._reader.problem, files)))

    async def start(self) -> None:
        """Read everything, from snapshots as far as they are good."""
        async with self._turn:
            try:
                self._known = await self._loaded(self._new_known(), are_files_good=True)
            except Conflict as exc:  # a number was given again to another row: the file is of another life
                await self._rebuild(str(exc))

    async def catch_up(self) -> None:
        """Return when everything is known that was committed before this call.

        Calls that come while the database is being looked at share the next look.
        """
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look_in_turn())
            self._next_look.add_done_callback(_retrieve)
        await asyncio.shield(self._next_look)

    async def keep_files(self) -> None:
        """Write snapshots where it is time; free the room of rows that are gone. See `IndexFiles`."""
        if self.files is not None:
            await asyncio.to_thread(self.files.delete_rest)
        for key, gallery in self._known.galleries.items():
            if await asyncio.to_thread(gallery.compact):
                _log.info("index compacted", model=key[0], version=key[1], vectors=len(gallery))
                self._note(key, changes=len(gallery))
            if self.files is not None and self.files.is_due(key, gallery):
                await self._write(key, gallery, self.files)

    async def check_recall(self, *, sample: int) -> None:
        """Compare every index with an exact search."""
        for key, gallery in self._known.galleries.items():
            recall = await asyncio.to_thread(measure_recall, gallery, sample=sample)
            if recall is not None:
                self.recalls[key] = recall

    async def trim(self, seen: Moment) -> None:
        """Delete notes of withdrawals that every process looked at: from before a moment long ago."""
        await self._feed.trim(seen)

    async def close(self, *, remove: Iterable[ModelKey] = ()) -> None:
        """Let other processes write the files; delete those of models that are not needed any more."""
        for gallery in self._known.galleries.values():
            gallery.close()
        async with self._turn:
            files, self.files = self.files, None
            if files is not None:
                await asyncio.to_thread(files.close, remove=remove)

    async def _look_in_turn(self) -> None:
        async with self._turn:
            self._next_look = None
            try:
                await self._look()
            except Conflict as exc:
                await self._rebuild(str(exc))
            except BaseException:
                self._is_sure = False  # the connection, or the database, may be another one afterwards
                raise

    async def _look(self) -> None:
        moment = self.state.moment
        delta = await self._feed.changes(self.keys, moment.mark if moment is not None else 0)
        if moment is None or not _follows(moment, delta.moment):
            await self._rebuild("the database is another one than before, or was restored")
        elif self._is_sure and delta.moment.at - moment.at < _TRUSTED:
            await self._apply(delta)
            self._looked(delta.moment)
        else:
            self._looked(await self._compare())
        self._is_sure = True

    async def _apply(self, delta: Delta) -> None:
        """Withdrawals come first: what is gone must not be found for as long as reading takes."""
        await self._withdraw(delta.withdrawn)
        await self._add(self._known, [seq for seq in delta.added if seq not in self._known])

    async def _compare(self) -> Moment:
        """Make what is known the same as the database's rows, as of the moment returned."""
        self._reader.forgive()
        moments = []
        for key in self.keys:
            listing = await self._feed.listing(key)
            moments.append(listing.moment)
            gone, new = await asyncio.to_thread(differences, self._known, key, listing)
            await self._withdraw(gone)
            await self._add(self._known, new)
        return _earliest(moments)

    async def _rebuild(self, reason: str) -> None:
        _log.warning("everything is read anew; what was known serves meanwhile", cause=reason)
        self.state = replace(self.state, rebuilding=reason)
        try:
            if self.files is not None:
                await asyncio.to_thread(self.files.remove, self.keys)
            self._known = await self._loaded(self._new_known(), are_files_good=False)
        finally:
            self.state = replace(self.state, rebuilding="")

    async def _loaded(self, known: _KnownT, *, are_files_good: bool) -> _KnownT:
        self._reader.forgive()
        moments = []
        for key in self.keys:
            listing = await self._feed.listing(key)
            if are_files_good and self.files is not None and key in known.galleries:
                await self._restore(known, key, listing, self.files)
            await self._add(known, await asyncio.to_thread(missing, known, listing.seqs))
            moments.append(listing.moment)
        self._looked(_earliest(moments))
        self._is_sure = True
        return known

    async def _restore(self, known: _KnownT, key: ModelKey, listing: Listing, files: IndexFiles) -> None:
        """Take over the index from its file, except what is not in the database as it was."""
        gallery = known.galleries[key]
        snapshot = await asyncio.to_thread(files.read, key, gallery, listing.moment)
        if snapshot is None:
            return
        owned, left_out = await asyncio.to_thread(owned_by_performer, snapshot.rows, listing)
        if left_out:  # the file has vectors of rows that are gone
            await asyncio.to_thread(files.forget, [key])
        facts = await self._reader.facts([seq for seqs in owned.values() for seq in seqs])
        await asyncio.to_thread(known.adopt, key, snapshot.index, owned, facts)
        _log.info("index read from its file", model=key[0], version=key[1], vectors=len(known.galleries[key]))

    async def _add(self, known: _KnownT, seqs: Sequence[int]) -> None:
        if not seqs:
            return
        before = {key: len(gallery) for key, gallery in known.galleries.items()}
        try:
            await self._reader.add(known, seqs)
        finally:
            for key, gallery in known.galleries.items():
                self._note(key, changes=len(gallery) - before[key])

    async def _withdraw(self, seqs: Sequence[int]) -> None:
        """Files that hold any of these rows go before anybody is told that the rows are gone."""
        self._reader.forgive(seqs)
        gone = [seq for seq in seqs if seq in self._known]
        if not gone:
            return
        if self.files is not None:
            keys = await asyncio.to_thread(touched, self._known.galleries, gone)
            await asyncio.to_thread(self.files.forget, keys)
        await asyncio.to_thread(self._known.withdraw, gone)

    async def _write(self, key: ModelKey, gallery: Gallery, files: IndexFiles) -> None:
        """Save an index with its rows as the database has them. Nobody changes it meanwhile."""
        async with self._turn:
            if self.files is not files or self._known.galleries[key] is not gallery:
                return  # closed, or read anew, while others had their turn
            if not await asyncio.to_thread(files.may_write, key):
                return  # another process does
            listing = await self._feed.listing(key)
            if self.state.moment is None or listing.moment.epoch != self.state.moment.epoch:
                return  # the next look sees to that
            await _to_the_end(partial(files.write, key, gallery, listing, self.state.moment))

    def _looked(self, moment: Moment) -> None:
        self.state = replace(self.state, moment=moment, caught_up_at=self._clock())

    def _note(self, key: ModelKey, *, changes: int) -> None:
        if self.files is not None:
            self.files.note(key, changes)


async def _to_the_end(work: Callable[[], _ResultT]) -> _ResultT:
    """The result of work in a thread; whoever is cancelled waits for its end: a thread cannot be stopped."""
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _retrieve(look: asyncio.Task[None]) -> None:
    """A failure that nobody waited for is no news: the next look fails, too, or makes up for it."""
    if not look.cancelled():
        look.exception()


def _earliest(moments: Sequence[Moment]) -> Moment:
    return min(moments, key=lambda moment: moment.mark)


def _follows(before: Moment, now: Moment) -> bool:
    """Whether a look came after another one into the same life of the same database."""
    return now.epoch == before.epoch and now.mark >= before.mark
