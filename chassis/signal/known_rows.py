"""A signal's rows in memory, and how they are read from the database: also when one of them is damaged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import numpy as np
import structlog
from numpy.typing import NDArray

from chassis.errors import DamagedRow, InvalidInput
from chassis.gallery import Gallery
from chassis.index import VectorIndex
from chassis.signal.feed import Listing
from chassis.signal.model_sets import ModelKey
from chassis.signal.waiting_rows import SeenRows

__all__ = [
    "KnownRows",
    "RowReader",
    "RowSource",
    "owned_by_performer",
    "ownerless",
    "touched",
    "unknown",
    "unlisted",
]

_BATCH = 2000
_NAMED = 5

_log = structlog.get_logger()

_RowT = TypeVar("_RowT")
_RowInT = TypeVar("_RowInT", contravariant=True)
_RowOutT = TypeVar("_RowOutT", covariant=True)


class KnownRows(Protocol[_RowInT]):
    """A signal's rows in memory; only `Followed` changes them. Safe to use from many threads."""

    @property
    def galleries(self) -> Mapping[ModelKey, Gallery]:
        """Those of its vectors that an index finds, by model; empty where no index is needed."""

    def __contains__(self, seq: int, /) -> bool: ...

    def seqs(self, key: ModelKey, /) -> Sequence[int]:
        """Every row of a model."""

    def add(self, rows: Sequence[_RowInT], /) -> None:
        """Add committed rows that are not here. Raises InvalidInput for a row that cannot be one."""

    def adopt(
        self, key: ModelKey, index: VectorIndex, owned: Mapping[str, Sequence[int]], facts: Sequence[Any], /
    ) -> None:
        """Take over a gallery's index from a file, with its rows by performer and their facts."""

    def withdraw(self, seqs: Iterable[int], /) -> None:
        """Make rows unknown at once; those that are not here are passed over."""


class RowSource(Protocol[_RowOutT]):
    """A signal's rows in the database. Raises as the database does, and DamagedRow."""

    async def rows(self, seqs: Sequence[int]) -> Sequence[_RowOutT]:
        """Those of the rows that are there, in any order."""

    async def facts(self, seqs: Sequence[int]) -> Sequence[Any]:
        """The same without their vectors; nothing where there is nothing to know besides the performer."""


class RowReader(Generic[_RowT]):
    """Reads rows into memory; a row that is damaged is left out, and told of."""

    def __init__(self, source: RowSource[_RowT]) -> None:
        self._source = source
        self._damaged: set[int] = set()

    def __repr__(self) -> str:
        return f"<RowReader, {len(self._damaged)} damaged>"

    @property
    def problem(self) -> str:
        """Which rows are left out, in words; "" when none is."""
        if not self._damaged:
            return ""
        named = ", ".join(map(str, sorted(self._damaged)[:_NAMED]))
        return f"damaged rows in the database are left out: {len(self._damaged)}, seq {named}"

    def forgive(self, seqs: Iterable[int] | None = None) -> None:
        """Try these rows again when they are asked for next; None: all."""
        self._damaged.difference_update(self._damaged.copy() if seqs is None else seqs)

    async def add(self, known: KnownRows[_RowT], seqs: Sequence[int]) -> None:
        """Make rows known that are not. Raises as the database does."""
        wanted = [seq for seq in seqs if seq not in self._damaged]
        try:
            await self._add(known, wanted)
        except (DamagedRow, InvalidInput):
            await self._add_whole_ones(known, wanted)

    async def facts(self, owned: Mapping[str, Sequence[int]]) -> list[Any]:
        """What is known of performers' rows besides their vectors."""
        seqs = await asyncio.to_thread(list, chain.from_iterable(owned.values()))
        facts: list[Any] = []
        for start in range(0, len(seqs), _BATCH):
            facts += await self._source.facts(seqs[start : start + _BATCH])
        return facts

    async def _add(self, known: KnownRows[_RowT], seqs: Sequence[int]) -> None:
        await asyncio.to_thread(known.add, await self._source.rows(seqs))

    async def _add_whole_ones(self, known: KnownRows[_RowT], seqs: Sequence[int]) -> None:
        for seq in seqs:
            try:
                await self._add(known, [seq])
            except (DamagedRow, InvalidInput) as exc:
                self._damaged.add(seq)
                _log.error("a row in the database is damaged and left out", seq=seq, cause=str(exc))


def touched(galleries: Mapping[ModelKey, Gallery], seqs: Sequence[int]) -> list[ModelKey]:
    """Models that have any of these rows in their index."""
    return [key for key, gallery in galleries.items() if any(seq in gallery for seq in seqs)]


def unknown(known: KnownRows[Any], seqs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of these rows are not known."""
    return np.fromiter((seq not in known for seq in seqs.tolist()), np.bool_, len(seqs))


def unlisted(known: KnownRows[Any], key: ModelKey, seen: SeenRows, listing: Listing) -> NDArray[np.int64]:
    """Rows of a model that are known and not listed, or that another transaction wrote."""
    here = np.sort(np.array(known.seqs(key), np.int64))
    return here[~_is_listed(here, seen.xids(here), listing)]


def ownerless(known: KnownRows[Any], key: ModelKey, listing: Listing) -> NDArray[np.int64]:
    """Rows of a model whose performers have none in a listing, perhaps of another database."""
    here = np.array(known.seqs(key), np.int64)
    gallery = known.galleries.get(key)
    if gallery is None:
        return here[~np.isin(here, listing.seqs)]
    there = {str(UUID(bytes=performer.tobytes())) for performer in np.unique(listing.performers)}
    gone = [gallery.seqs_of(performer) for performer in gallery.performers - there]
    return np.array(list(chain.from_iterable(gone)), np.int64)


def _is_listed(seqs: NDArray[np.int64], xids: NDArray[np.uint64], listing: Listing) -> NDArray[np.bool_]:
    """The same number and the same transaction: a number that was given again is another row."""
    if not len(listing.seqs):
        return np.zeros(len(seqs), np.bool_)
    places = _places(seqs, listing)
    return np.asarray((listing.seqs[places] == seqs) & (listing.xids[places] == xids), np.bool_)


def _places(seqs: NDArray[np.int64], listing: Listing) -> NDArray[np.intp]:
    return np.minimum(np.searchsorted(listing.seqs, seqs), len(listing.seqs) - 1)


def owned_by_performer(rows: NDArray[np.void], listing: Listing) -> tuple[dict[str, list[int]], int]:
    """Rows of a file (dtype `snapshots.ROWS`) that are listed, too, by performer; and how many are not."""
    is_same = _is_listed(rows["seq"], rows["xid"], listing)
    kept = rows["seq"][is_same]
    if not len(kept):
        return {}, len(rows)
    performers, inverse = np.unique(listing.performers[_places(kept, listing)], return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    seqs = kept[order]
    bounds = np.searchsorted(inverse[order], np.arange(len(performers) + 1))
    owned = {
        str(UUID(bytes=performer.tobytes())): seqs[bounds[place] : bounds[place + 1]].tolist()
        for place, performer in enumerate(performers)
    }
    return owned, len(rows) - len(kept)
