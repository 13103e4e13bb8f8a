"""What is enrolled of performers: the story of Lookup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marquee.common.v1 import counts_pb2
from services.body.measurement import Measurement, combine
from services.body.store import MeasurementStore

__all__ = ["BodyAttributes", "LookUpBodies"]


@dataclass(frozen=True, slots=True)
class BodyAttributes:
    """One performer's proportions over all measurements."""

    performer_id: str
    measurement: Measurement
    count: int


class LookUpBodies:
    """Reads what the database has."""

    def __init__(self, store: MeasurementStore) -> None:
        self._store = store

    async def __call__(self, performer_ids: Sequence[str]) -> list[BodyAttributes]:
        """Those with measurements, in the order asked. Raises Unavailable without the database."""
        found = await self._store.of_performers(performer_ids)
        return [
            BodyAttributes(one, combine(found[one]), len(found[one])) for one in performer_ids if one in found
        ]

    async def count(self, performers: counts_pb2.PerformerRange) -> counts_pb2.ObservationCounts:
        """How many measurements there are of each. Raises as `MeasurementStore.count` does."""
        return await self._store.count(performers)
