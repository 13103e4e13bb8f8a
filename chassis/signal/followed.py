"""What one process knows of a signal's rows, kept as the database has it.

A replica starts from snapshots where they are good, compares them with the database row by row, and follows.
Where following is not enough (another database, a restored one) it reads everything anew, and what it knew
until then serves meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from chassis.errors import Conflict
from chassis.gallery import Gallery
from chassis.recall import Recall, measure_recall
from chassis.signal.feed import Delta, Feed, Listing, Moment
from chassis.signal.index_files import IndexFiles
from chassis.signal.known_rows import (
    KnownRows,
    RowReader,
    RowSource,
    owned_by_performer,
    ownerless,
    touched,
    unknown,
    unlisted,
)
from chassis.signal.model_sets import ModelKey
from chassis.signal.waiting_rows import SeenRows, WaitingRows

__all__ = ["Followed", "FollowState"]

# Notes of withdrawals are kept for longer than this, see `FollowWatch`; who looks later compares everything.
_TRUSTED = timedelta(minutes=30)
# Rows that are read before the database is looked at again: less than a second in an index of a million.
_PORTION = 256
_log = structlog.get_logger()

RowT = TypeVar("RowT")
_ResultT = TypeVar("_ResultT")


_KnownT = TypeVar("_KnownT", bound=KnownRows[Any])


@dataclass(frozen=True, slots=True)
class FollowState:
    """How well a process follows."""

    moment: Moment | None = None
    """As of when everything is known or waits to be read; None before the start."""
    caught_up_at: float = 0.0
    """Of the monotonic clock, seconds: when everything was known last that the database had then."""
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
        # What is read is put here; another place than what answers while everything is read anew.
        self._filling = self._known
        self._seen = SeenRows()
        self._waiting = WaitingRows()
        self._turn = asyncio.Lock()
        self._next_look: asyncio.Task[None] | None = None
        self._is_sure = False
        self._is_closed = False
        self._recall_round = 0
        self.state = FollowState()
        self.troubles: dict[str, str] = {}
        """What went wrong last with each thing that is done again and again; "" where it went well."""
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
        """What is wrong with rows, files or the database, in words; "" when nothing is."""
        files = self.files.problem if self.files is not None else ""
        told = (self._reader.problem, files, *self.troubles.values())
        return "; ".join(dict.fromkeys(filter(None, told)))

    @property
    def is_behind(self) -> bool:
        """Whether rows are waiting to be read."""
        return len(self._waiting) > 0

    async def start(self) -> None:
        """Read everything, from snapshots as far as they are good."""
        async with self._turn:
            await self._surely(self._begin())
        while self.is_behind and not self._is_closed:
            async with self._turn:
                await self._surely(self._read_some())

    async def look(self) -> None:
        """See what was committed before this call: what is gone is gone, what is new is known.

        A large import is read in portions, one by each call: see `is_behind`. Calls that come while the
        database is being looked at share the next look.
        """
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look_in_turn())
            self._next_look.add_done_callback(_retrieve)
        await asyncio.shield(self._next_look)

    async def catch_up(self) -> None:
        """Return when everything is known that was committed before this call, however much it is."""
        await self.look()
        while self.is_behind and not self._is_closed:
            await self.look()

    async def keep_files(self) -> None:
        """Write snapshots where it is time; free the room of rows that are gone. See `IndexFiles`."""
        for key, gallery in self._known.galleries.items():
            if await asyncio.to_thread(gallery.compact):
                _log.info("index compacted", model=key[0], version=key[1], vectors=len(gallery))
                self._note(key, changes=len(gallery))
            if self.files is not None and self.files.is_due(key, gallery):
                await self._write(key, gallery, self.files)

    async def delete_files(self) -> None:
        """Try again to delete what must go and could not be deleted."""
        if self.files is not None:
            await asyncio.to_thread(self.files.delete_rest)

    async def check_recall(self, *, sample: int) -> None:
        """Compare every index with an exact search, for other vectors each time."""
        self._recall_round += 1
        for key, gallery in self._known.galleries.items():
            recall = await asyncio.to_thread(measure_recall, gallery, sample=sample, seed=self._recall_round)
            if recall is not None:
                self.recalls[key] = recall

    async def trim(self, seen: Moment) -> None:
        """Delete notes of withdrawals that every process looked at: from before a moment long ago."""
        await self._feed.trim(seen)

    async def close(self, *, remove: Iterable[ModelKey] = ()) -> None:
        """Let other processes write the files; delete those of models that are not needed any more."""
        self._is_closed = True
        for gallery in (*self._known.galleries.values(), *self._filling.galleries.values()):
            gallery.close()
        async with self._turn:
            files, self.files = self.files, None
            if files is not None:
                await asyncio.to_thread(files.close, remove=remove)

    async def _look_in_turn(self) -> None:
        async with self._turn:
            self._next_look = None
            await self._surely(self._look_and_read())

    async def _surely(self, work: Awaitable[None]) -> None:
        """What raises leaves a doubt: the connection, or the database, may be another one afterwards."""
        try:
            await work
        except Conflict as exc:  # a number was given again to another row
            await self._begin_again(str(exc))
        except BaseException:
            self._is_sure = False
            raise

    async def _look_and_read(self) -> None:
        await self._look()
        await self._read_some()

    async def _look(self) -> None:
        before = self.state.moment
        if before is None:
            await self._begin()
            return
        delta = await self._feed.changes(self.keys, before)
        if not _follows(before, delta.moment):
            await self._begin_again("the database is another one than before, or was restored")
        elif self._is_sure and delta.moment.at - before.at < _TRUSTED:
            await self._apply(delta)
        else:
            await self._compare()
        self._is_sure = True

    async def _apply(self, delta: Delta) -> None:
        """Withdrawals come first: what is gone must not be found for as long as reading takes."""
        await self._withdraw(delta.withdrawn)
        new = await asyncio.to_thread(self._seen.unseen, delta.added, delta.xids)
        seqs, xids = delta.added[new], delta.xids[new]
        await asyncio.to_thread(self._seen.put, seqs, xids)
        if len(seqs) <= _PORTION:  # what is enrolled now does not wait for an import
            await self._add(seqs)
        else:
            self._waiting.add(seqs, xids)
        self._looked(delta.moment)

    async def _compare(self) -> None:
        """Make what is known the same as the database's rows."""
        self._reader.forgive()
        self._waiting.clear()
        seen, moments = SeenRows(), []
        for key in self.keys:
            listing = await self._feed.listing(key)
            moments.append(listing.moment)
            for known in {id(one): one for one in (self._known, self._filling)}.values():
                await self._withdraw(await asyncio.to_thread(unlisted, known, key, self._seen, listing))
            new = await asyncio.to_thread(unknown, self._filling, listing.seqs)
            seen.put(listing.seqs, listing.xids)
            self._waiting.add(listing.seqs[new], listing.xids[new])
        self._seen = seen
        self._looked(_earliest(moments))

    async def _begin(self) -> None:
        """Take over what files have, and find out what else there is to read."""
        seen, moments = SeenRows(), []
        self._waiting.clear()
        for key in self.keys:
            listing = await self._feed.listing(key)
            moments.append(listing.moment)
            if self.files is not None and key in self._known.galleries:
                await self._restore(key, listing, self.files)
            new = await asyncio.to_thread(unknown, self._known, listing.seqs)
            seen.put(listing.seqs, listing.xids)
            self._waiting.add(listing.seqs[new], listing.xids[new])
        self._seen, self._is_sure = seen, True
        self._looked(_earliest(moments))

    async def _begin_again(self, reason: str) -> None:
        """Read everything into a new place. What was known goes on answering, without whoever is gone."""
        _log.warning("everything is read anew; what was known serves meanwhile", cause=reason)
        self.state = replace(self.state, rebuilding=reason)
        self._is_sure = False  # until all is listed: if that fails, the next look compares
        if self.files is not None:
            await asyncio.to_thread(self.files.remove, self.keys)
        self._let_go(self._filling)
        self._reader.forgive()
        self._waiting.clear()
        self._filling = self._new_known()
        seen, moments = SeenRows(), []
        for key in self.keys:
            listing = await self._feed.listing(key)
            moments.append(listing.moment)
            gone = await asyncio.to_thread(ownerless, self._known, key, listing)
            await asyncio.to_thread(self._known.withdraw, gone.tolist())
            seen.put(listing.seqs, listing.xids)
            self._waiting.add(listing.seqs, listing.xids)
        self._seen, self._is_sure = seen, True
        self._looked(_earliest(moments))
        if not self.is_behind:
            self._switch()

    async def _read_some(self) -> None:
        seqs, xids = self._waiting.first(_PORTION)
        are_wanted = self._seen.xids(seqs) == xids  # the others went meanwhile
        await self._add(seqs[are_wanted])
        self._waiting.drop(len(seqs))
        if not self.is_behind and self.state.moment is not None:
            self._switch()
            self.state = replace(self.state, caught_up_at=self._clock())

    def _switch(self) -> None:
        """What was filled answers from now on."""
        if self._known is not self._filling:
            before, self._known = self._known, self._filling
            self._let_go(before)
            self.state = replace(self.state, rebuilding="")

    def _let_go(self, known: _KnownT) -> None:
        for gallery in known.galleries.values() if known is not self._known else ():
            gallery.close()

    async def _restore(self, key: ModelKey, listing: Listing, files: IndexFiles) -> None:
        """Take over the index from its file, except what is not in the database as it was."""
        known = self._known
        snapshot = await asyncio.to_thread(files.read, key, known.galleries[key], listing.moment)
        if snapshot is None:
            return
        owned, left_out = await asyncio.to_thread(owned_by_performer, snapshot.rows, listing)
        if left_out:  # the file has vectors of rows that are gone
            await asyncio.to_thread(files.forget, [key])
        facts = await self._reader.facts(owned)
        await asyncio.to_thread(known.adopt, key, snapshot.index, owned, facts)
        _log.info("index read from its file", model=key[0], version=key[1], vectors=len(known.galleries[key]))

    async def _add(self, seqs: NDArray[np.int64]) -> None:
        if not len(seqs):
            return
        galleries = self._filling.galleries
        before = {key: len(gallery) for key, gallery in galleries.items()}
        try:
            await self._reader.add(self._filling, seqs.tolist())
        finally:
            for key, gallery in galleries.items():
                self._note(key, changes=len(gallery) - before[key])

    async def _withdraw(self, withdrawn: NDArray[np.int64]) -> None:
        """Files that hold any of these rows go before anybody is told that the rows are gone."""
        if not len(withdrawn):
            return
        seqs = withdrawn.tolist()
        self._reader.forgive(seqs)
        if self.files is not None:
            keys = await asyncio.to_thread(touched, self._known.galleries, seqs)
            await asyncio.to_thread(self.files.forget, keys)
        await asyncio.to_thread(self._known.withdraw, seqs)
        if self._filling is not self._known:
            await asyncio.to_thread(self._filling.withdraw, seqs)
        await asyncio.to_thread(self._seen.put, withdrawn, 0)

    async def _write(self, key: ModelKey, gallery: Gallery, files: IndexFiles) -> None:
        """Save an index with its rows as the database has them. Nobody changes it meanwhile."""
        async with self._turn:
            if not await asyncio.to_thread(files.may_write, key):
                return  # another process does
            await self._surely(self._look())
            is_current = self._known is self._filling and self._known.galleries[key] is gallery
            if self.files is not files or not is_current:
                return  # closed, or read anew, while others had their turn
            listing = await self._feed.listing(key)
            if self.state.moment is None or listing.moment.epoch != self.state.moment.epoch:
                return  # the next look sees to that
            await _to_the_end(partial(files.write, key, gallery, listing, self.state.moment))

    def _looked(self, moment: Moment) -> None:
        self.state = replace(self.state, moment=moment)

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
