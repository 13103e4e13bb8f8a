"""What is enrolled of performers: the story of Lookup."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import MarqueeError
from marquee.common.v1 import counts_pb2
from services.tattoo.enrolled import KnownTattoo
from services.tattoo.regions_store import RegionStatement, RegionStore
from services.tattoo.store import TattooStore

__all__ = ["LookUpTattoos", "TattooAttributes"]

# The database answers within a millisecond or two, or it has other troubles.
_PATIENCE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class TattooAttributes:
    """One performer's enrolled views of tattoos, oldest row first, and what is known of regions."""

    performer_id: str
    tattoos: tuple[KnownTattoo, ...]
    regions: tuple[RegionStatement, ...]


class LookUpTattoos:
    """Reads what the database has."""

    def __init__(self, store: TattooStore, regions: RegionStore) -> None:
        self._store = store
        self._regions = regions

    async def __call__(self, performer_ids: Sequence[str]) -> list[TattooAttributes]:
        """Those of whom anything is known, in the order asked. Raises Unavailable without the database."""
        tattoos = await self._store.of_performers(performer_ids)
        regions = await self._regions.of_performers(performer_ids)
        return [
            TattooAttributes(one, tuple(tattoos.get(one, ())), tuple(regions.get(one, ())))
            for one in performer_ids
            if one in tattoos or one in regions
        ]

    async def count(self, performers: counts_pb2.PerformerRange) -> counts_pb2.ObservationCounts:
        """How many views are enrolled of each. Raises as `TattooStore.count` does."""
        return await self._store.count(performers)

    async def regions(self, performer_ids: Sequence[str]) -> dict[str, list[RegionStatement]]:
        """What is known of regions, by performer; nothing when the database is away or slow.

        For answers that the database must not delay: without a statement nothing follows for anybody.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._regions.of_performers(performer_ids)
        except (MarqueeError, TimeoutError):
            return {}
