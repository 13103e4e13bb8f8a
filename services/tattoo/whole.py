"""What is known of a tattoo as a whole, from its views. Pure."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.tattoo.enrolled import KnownTattoo
from services.tattoo.grouping import UNKNOWN_REGION

__all__ = ["WholeTattoo", "wholes_of"]


@dataclass(frozen=True, slots=True)
class WholeTattoo:
    """One tattoo."""

    region: str
    """That most of the views that know it tell."""
    first_seen: datetime.date | None
    """As the owner says, else the day of the earliest dated view."""
    removed: datetime.date | None
    views: int


def wholes_of(views: Iterable[KnownTattoo]) -> Mapping[str, WholeTattoo]:
    """Each tattoo by its id."""
    of_tattoo: dict[str, list[KnownTattoo]] = {}
    for view in views:
        of_tattoo.setdefault(view.tattoo_id, []).append(view)
    return {tattoo_id: _whole(found) for tattoo_id, found in of_tattoo.items()}


def _whole(views: list[KnownTattoo]) -> WholeTattoo:
    regions = Counter(view.region for view in views if view.region != UNKNOWN_REGION)
    said = [view.known_since for view in views if view.known_since is not None]
    seen = [view.first_seen for view in views if view.first_seen is not None]
    removed = [view.removed for view in views if view.removed is not None]
    return WholeTattoo(
        region=min(regions, key=lambda region: (-regions[region], region), default=UNKNOWN_REGION),
        first_seen=min(said or seen, default=None),
        removed=max(removed, default=None),
        views=len(views),
    )
