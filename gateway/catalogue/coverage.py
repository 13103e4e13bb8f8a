"""How well the gallery covers the performers, from what the signals say they have."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.catalogue.gallery_tally import ID_BYTES, GalleryTally, Tally
from gateway.catalogue.holdings import AskHoldings, Holdings
from gateway.catalogue.image_counts import ImageCounts, SourceCounts
from gateway.catalogue.paging import Position
from gateway.catalogue.performer import Performer
from gateway.catalogue.store import CatalogueStore, Page
from gateway.catalogue.target import Target
from gateway.observations import Signal
from gateway.signals import FaceCounts

__all__ = ["CoveredPerformer", "GalleryCoverage", "CoverageReport", "covered"]

_AT_ONCE = 20_000
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class CoveredPerformer:
    """One performer: observations by signal that answered, faces by quality, what each source brought.

    `faces`: None without the face signal. `is_below_target`: None when nobody can say.
    """

    performer: Performer
    counts: Mapping[Signal, int]
    faces: FaceCounts | None
    is_below_target: bool | None
    sources: tuple[SourceCounts, ...]


@dataclass(frozen=True, slots=True)
class GalleryCoverage:
    """Totals, and one page of performers.

    A signal that did not answer is in `unavailable` and not in `signals`. `faces`: None without the face
    signal. `below_target`: None when a signal that the target speaks of did not answer.
    """

    performers: int
    age_unverified: int
    without_observations: int
    signals: Mapping[Signal, Tally]
    faces: FaceCounts | None
    below_target: int | None
    sources: tuple[SourceCounts, ...]
    page: tuple[CoveredPerformer, ...]
    last: Position | None
    unavailable: tuple[Signal, ...]


class CoverageReport:
    """Asks every signal about every performer: exact; docs/coverage.md says how long it takes.

    at_once: performers that a signal is asked about at once.
    """

    def __init__(
        self,
        store: CatalogueStore,
        images: ImageCounts,
        ask: AskHoldings,
        *,
        target: Target,
        adults_only: frozenset[str],
        at_once: int = _AT_ONCE,
    ) -> None:
        self._store = store
        self._images = images
        self._ask = ask
        self._target = target
        self._adults_only = adults_only
        self._at_once = at_once

    async def of_performer(self, performer_id: str) -> Mapping[Signal, int]:
        """Enrolled observations of one performer; a signal that does not answer is missing."""
        holdings = await self._ask([performer_id])
        return {signal: count.get(performer_id, 0) for signal, count in sorted(holdings.counts.items())}

    async def of_gallery(self, *, after: Position, page_size: int) -> GalleryCoverage:
        """Totals and one page. Raises Unavailable when the database is not there."""
        tally = await self._tally()
        page = await self._store.page((), after=after, size=page_size) if page_size else Page((), None)
        shown, away = await self._shown(page)
        return GalleryCoverage(
            performers=tally.performers,
            age_unverified=await self._store.count_age_unverified(self._adults_only),
            without_observations=tally.without_observations,
            signals=tally.signals,
            faces=tally.faces,
            below_target=tally.below(self._target),
            sources=await self._images.of_everybody(),
            page=shown,
            last=page.last,
            unavailable=tuple(sorted(tally.unavailable | away)),
        )

    async def _tally(self) -> GalleryTally:
        """What the signals have of everybody, without those that failed on the way."""
        tally, asked, after = GalleryTally(), frozenset(Signal), ""
        everybody = await self._store.all_ids()
        step = self._at_once * ID_BYTES
        # An empty catalogue asks once, too: who is there is part of the answer.
        for start in range(0, max(1, len(everybody)), step):
            ids = everybody[start : start + step]
            through = str(uuid.UUID(bytes=ids[-ID_BYTES:])) if ids else _LAST
            counted = await self._ask.of_range(after, through, asked)
            await asyncio.to_thread(tally.add, ids, counted)
            asked, after = frozenset(counted), through
        return tally

    async def _shown(self, page: Page) -> tuple[tuple[CoveredPerformer, ...], frozenset[Signal]]:
        ids = [one.id for one in page.performers]
        if not ids:
            return (), frozenset()
        holdings, sources = await self._ask(ids), await self._images.of_performers(ids)
        shown = (covered(one, holdings, self._target, sources.get(one.id, ())) for one in page.performers)
        return tuple(shown), holdings.unavailable


def covered(
    performer: Performer, holdings: Holdings, target: Target, sources: tuple[SourceCounts, ...]
) -> CoveredPerformer:
    """One performer's part of what the signals have."""
    counts, faces = _of(performer.id, holdings)
    return CoveredPerformer(
        performer,
        counts,
        faces if Signal.FACE in counts else None,
        target.is_missed(counts, faces),
        sources,
    )


def _of(performer_id: str, holdings: Holdings) -> tuple[dict[Signal, int], FaceCounts]:
    counts = {signal: count.get(performer_id, 0) for signal, count in sorted(holdings.counts.items())}
    return counts, holdings.faces.get(performer_id, FaceCounts())
