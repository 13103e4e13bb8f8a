"""What is enrolled of performers: the story of Lookup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.tattoo.enrolled import KnownTattoo
from services.tattoo.store import TattooStore

__all__ = ["LookUpTattoos", "TattooAttributes"]


@dataclass(frozen=True, slots=True)
class TattooAttributes:
    """One performer's enrolled views of tattoos, oldest row first."""

    performer_id: str
    tattoos: tuple[KnownTattoo, ...]


class LookUpTattoos:
    """Reads what the database has."""

    def __init__(self, store: TattooStore) -> None:
        self._store = store

    async def __call__(self, performer_ids: Sequence[str]) -> list[TattooAttributes]:
        """Those with tattoos, in the order asked. Raises Unavailable without the database."""
        found = await self._store.of_performers(performer_ids)
        return [TattooAttributes(one, tuple(found[one])) for one in performer_ids if one in found]
