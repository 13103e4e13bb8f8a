"""How well the gallery covers the performers, from what the signals say they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.catalogue.holdings import MOST_IDS, AskHoldings, Holdings
from gateway.catalogue.image_counts import ImageCounts, SourceCounts
from gateway.catalogue.paging import START, Position
from gateway.catalogue.performer import Performer
from gateway.catalogue.store import CatalogueStore, Page
from gateway.catalogue.target import Target
from gateway.observations import Signal
from gateway.signals import FaceCounts

__all__ = ["Tally", "CoveredPerformer", "GalleryCoverage", "CoverageReport", "covered"]


@dataclass(frozen=True, slots=True)
class Tally:
    """Enrolled observations, and performers with at least one."""

    observations: int = 0
    performers: int = 0


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
    """Asks every signal about every performer: exact; docs/coverage.md says how long it takes."""

    def __init__(
        self,
        store: CatalogueStore,
        images: ImageCounts,
        ask: AskHoldings,
        *,
        target: Target,
        adults_only: frozenset[str],
    ) -> None:
        self._store = store
        self._images = images
        self._ask = ask
        self._target = target
        self._adults_only = adults_only

    async def of_performer(self, performer_id: str) -> Mapping[Signal, int]:
        """Enrolled observations of one performer; a signal that does not answer is missing."""
        holdings = await self._ask([performer_id])
        return {signal: count.get(performer_id, 0) for signal, count in sorted(holdings.counts.items())}

    async def of_gallery(self, *, after: Position, page_size: int) -> GalleryCoverage:
        """Totals and one page. Raises Unavailable when the database is not there."""
        page = await self._store.page((), after=after, size=page_size) if page_size else Page((), None)
        by_performer = await self._images.of_performers([one.id for one in page.performers])
        performers = await self._store.count()
        age_unverified = await self._store.count_age_unverified(self._adults_only)
        sources = await self._images.of_everybody()
        holdings, everybody = await self._everything()
        return GalleryCoverage(
            performers=performers,
            age_unverified=age_unverified,
            without_observations=max(0, performers - len(set[str]().union(*holdings.counts.values()))),
            signals={signal: _tally(holdings.counts[signal]) for signal in sorted(holdings.counts)},
            faces=FaceCounts.sum(holdings.faces.values()) if Signal.FACE in holdings.counts else None,
            below_target=_missed(self._target, holdings, everybody),
            sources=sources,
            page=tuple(
                covered(one, holdings, self._target, by_performer.get(one.id, ())) for one in page.performers
            ),
            last=page.last,
            unavailable=tuple(sorted(holdings.unavailable)),
        )

    async def _everything(self) -> tuple[Holdings, list[str]]:
        """What the signals have of everybody, without those that failed on the way, and everybody's ids."""
        counts: dict[Signal, dict[str, int]] = {signal: {} for signal in Signal}
        faces: dict[str, FaceCounts] = {}
        everybody: list[str] = []
        asked = frozenset(Signal)
        batch = await self._store.ids_after(START.performer_id, size=MOST_IDS)
        is_first = True
        while batch or is_first:  # an empty catalogue asks once, too: who is there is part of the answer
            found = await self._ask(batch, asked)
            asked -= found.unavailable
            for signal, count in found.counts.items():
                counts[signal].update(count)
            faces |= found.faces
            everybody += batch
            is_first = False
            batch = await self._store.ids_after(batch[-1], size=MOST_IDS) if batch else []
        known = {signal: counts[signal] for signal in sorted(asked)}
        return Holdings(known, faces, frozenset(Signal) - asked), everybody


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


def _missed(target: Target, holdings: Holdings, everybody: Sequence[str]) -> int | None:
    """How many are below the target."""
    if target.signals & holdings.unavailable:
        return None
    return sum(target.is_missed(*_of(performer_id, holdings)) is True for performer_id in everybody)


def _tally(counts: Mapping[str, int]) -> Tally:
    return Tally(sum(counts.values()), sum(1 for count in counts.values() if count))
