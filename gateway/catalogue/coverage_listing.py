"""Performers with their coverage, page by page, and only those that somebody asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import Unavailable
from gateway.catalogue.coverage import CoveredPerformer, covered
from gateway.catalogue.holdings import MOST_IDS, AskHoldings
from gateway.catalogue.image_counts import ImageCounts
from gateway.catalogue.images import ImageLedger
from gateway.catalogue.paging import Position
from gateway.catalogue.performer import Performer
from gateway.catalogue.store import CatalogueStore
from gateway.catalogue.target import Target
from gateway.observations import Signal

__all__ = ["Wanted", "CoveragePage", "ListCoverage"]

# Performers that one call looks at before it answers with what it has: some seconds, even on a slow machine.
_MOST_BATCHES = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which performers: all conditions must hold. The contract's ListCoverageRequest says what each means."""

    only_below_target: bool = False
    only_without_faces: bool = False
    without_faces_from: str = ""
    only_with_open_images: bool = False
    open_images_from: str = ""

    @property
    def is_everybody(self) -> bool:
        """Whether nobody is left out."""
        return self == Wanted(open_images_from=self.open_images_from)


@dataclass(frozen=True, slots=True)
class CoveragePage:
    """Some performers; `last` is None when nobody follows."""

    performers: tuple[CoveredPerformer, ...]
    last: Position | None
    unavailable: frozenset[Signal]


class ListCoverage:
    """Goes through the performers by name, a batch at a time, until a page is full."""

    def __init__(
        self,
        store: CatalogueStore,
        ledger: ImageLedger,
        images: ImageCounts,
        ask: AskHoldings,
        *,
        target: Target,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._images = images
        self._ask = ask
        self.target = target

    async def __call__(self, wanted: Wanted, *, after: Position, size: int) -> CoveragePage:
        """At most `size` performers; fewer, or none, when it takes too long to find them.

        Raises Unavailable when the database, or a signal that a condition needs, is not there.
        """
        found: list[CoveredPerformer] = []
        unavailable: frozenset[Signal] = frozenset()
        last: Position | None = after
        for _ in range(_MOST_BATCHES):
            if last is None or len(found) == size:
                break
            page = await self._store.page((), after=last, size=size if wanted.is_everybody else MOST_IDS)
            kept, away = await self._kept(page.performers, wanted)
            room = size - len(found)
            found += kept[:room]
            unavailable |= away
            last = _position(kept[room - 1].performer) if len(kept) > room else page.last
        return CoveragePage(await self._with_sources(found), last, unavailable)

    async def of(self, performer_ids: Sequence[str]) -> CoveragePage:
        """These performers, by name; those that do not exist are missing."""
        performers = await self._store.by_ids(performer_ids)
        in_order = sorted(performers.values(), key=lambda one: (one.name.casefold(), one.id))
        found, unavailable = await self._kept(in_order, Wanted())
        return CoveragePage(await self._with_sources(found), None, unavailable)

    async def _kept(
        self, performers: Sequence[Performer], wanted: Wanted
    ) -> tuple[list[CoveredPerformer], frozenset[Signal]]:
        left = await self._by_images(performers, wanted)
        if not left:
            return [], frozenset()
        holdings = await self._ask([one.id for one in left])
        _check(wanted, self.target, holdings.unavailable)
        each = (covered(one, holdings, self.target, ()) for one in left)
        return [one for one in each if _is_kept(one, wanted)], holdings.unavailable

    async def _by_images(self, performers: Sequence[Performer], wanted: Wanted) -> Sequence[Performer]:
        """What the ledger says first: it costs less than asking the signals."""
        ids = [one.id for one in performers]
        if wanted.without_faces_from:
            has_face = await self._ledger.with_faces_from(wanted.without_faces_from, ids)
            performers = [one for one in performers if one.id not in has_face]
        if wanted.only_with_open_images:
            has_open = await self._ledger.with_open_images(wanted.open_images_from, ids)
            performers = [one for one in performers if one.id in has_open]
        return performers

    async def _with_sources(self, found: Sequence[CoveredPerformer]) -> tuple[CoveredPerformer, ...]:
        sources = await self._images.of_performers([one.performer.id for one in found])
        return tuple(
            CoveredPerformer(
                one.performer,
                one.counts,
                one.faces,
                one.is_below_target,
                sources.get(one.performer.id, ()),
            )
            for one in found
        )


def _position(performer: Performer) -> Position:
    return Position(performer.name.casefold(), performer.id)


def _check(wanted: Wanted, target: Target, unavailable: frozenset[Signal]) -> None:
    """Half an answer would leave performers out, or name wrong ones."""
    target_signals = target.signals if wanted.only_below_target else frozenset()
    face = frozenset({Signal.FACE}) if wanted.only_without_faces else frozenset()
    away = sorted((target_signals | face) & unavailable)
    if away:
        raise Unavailable(f"{away[0].label} did not answer")


def _is_kept(one: CoveredPerformer, wanted: Wanted) -> bool:
    is_short_enough = not wanted.only_below_target or one.is_below_target is True
    return is_short_enough and not (wanted.only_without_faces and one.counts.get(Signal.FACE))
