"""What changed over a career, year by year: tattoos that came and went, and appearance. Pure.

Years are arrays [n] of whole numbers, such as 2005..2026; what comes back has one value for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput

__all__ = ["Appearance", "has_tattoo", "natural_llrs"]

Years = NDArray[np.int64]

# Not fitted. A tattoo first seen in some year may be older: less likely by a factor e every so many years.
_YEARS_BEFORE_SEEN = 3.0
# Not fitted. Metadata is wrong, or somebody misjudges a picture, at least so often.
_LEAST_DOUBT = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What one source says of the years from `first` to `last`, both included; None: open."""

    natural: float
    """Probability, 0..1."""
    first: int | None = None
    last: int | None = None


def has_tattoo(
    years: Years, *, first_seen: int | None = None, since: int | None = None, removed: int | None = None
) -> NDArray[np.float64]:
    """Probability, 0..1, that a performer had a tattoo in each year.

    first_seen: year of the earliest dated picture of it: it may be older. since: year in which it came, as
    the owner says: before, it was not there. removed: the last year in which it was there. None: not known.

    Raises InvalidInput when it was gone before it came, or before it was last known to be there.
    """
    begun = since if since is not None else first_seen
    if removed is not None and begun is not None and removed < begun:
        raise InvalidInput("removed: before the tattoo was there")
    has_it = np.ones(len(years))
    if since is not None:
        has_it[years < since] = 0.0
    elif first_seen is not None:
        has_it = np.exp(-np.clip(first_seen - years, 0, None) / _YEARS_BEFORE_SEEN)
    if removed is not None:
        has_it[years > removed] = 0.0
    return np.asarray(has_it, np.float64)


def natural_llrs(
    years: Years, history: Sequence[Appearance], *, stated: float, usual: float
) -> NDArray[np.float64]:
    """Log ratio of what is stated of a scene, were it this performer in each year, over a stranger.

    stated: probability, as the caller says, that the person in the scene looks natural; usual: share of all
    performers of whom that is true. log(n s + (1 - n)(1 - s)) - log(u s + (1 - u)(1 - s)), where n is
    the mean of what the sources say of that year; 0 in a year of which none says anything.

    Raises InvalidInput for a value outside 0..1.
    """
    for name, value in [("stated", stated), ("usual", usual), *(("natural", one.natural) for one in history)]:
        if not 0 <= value <= 1:
            raise InvalidInput(f"{name}: not within 0..1")
    speaks = np.stack([_speaks(years, one) for one in history]) if history else np.zeros((0, len(years)))
    said = np.array([one.natural for one in history])
    sources = speaks.sum(axis=0)
    natural = _held(said @ speaks / np.maximum(sources, 1))
    theirs, anybodys = _agreeing(natural, stated), _agreeing(_held(np.array(usual)), stated)
    return np.where(sources > 0, np.log(theirs / anybodys), 0.0)


def _speaks(years: Years, one: Appearance) -> NDArray[np.float64]:
    is_begun = years >= one.first if one.first is not None else np.ones(len(years), bool)
    is_over = years > one.last if one.last is not None else np.zeros(len(years), bool)
    return np.asarray(is_begun & ~is_over, np.float64)


def _held(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.clip(probability, _LEAST_DOUBT, 1 - _LEAST_DOUBT), np.float64)


def _agreeing(natural: NDArray[np.float64], stated: float) -> NDArray[np.float64]:
    return np.asarray(natural * stated + (1 - natural) * (1 - stated), np.float64)
