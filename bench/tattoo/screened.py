"""Which views are compared by key points, as the service chooses them by default."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from services.tattoo.config import TattooSection
from services.tattoo.key_points import FIRST_BYTES, KeyPoints, to_bytes
from services.tattoo.screening import most_paired

__all__ = ["screened"]


def screened(probe: KeyPoints, alike: Mapping[int, KeyPoints], *, tattoos: int = 1) -> list[int]:
    """Of views, the most alike first, the keys of those that a tattoo is compared with.

    tattoos: how many of them a picture shows, which share what is looked over.
    """
    settings = TattooSection()
    most = max(settings.verify_candidates, settings.screen_candidates // tattoos)
    looked = list(islice(alike.items(), most))
    starts = [to_bytes(points)[:FIRST_BYTES] for _, points in looked]
    return [looked[place][0] for place in most_paired(probe, starts, settings.verify_candidates)]
