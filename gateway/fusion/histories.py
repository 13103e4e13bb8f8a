"""What changed over a career, year by year: tattoos that came and went, and appearance. Pure.

Years are arrays [years] of whole numbers, such as 2005..2026; what comes back has one value for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chassis.errors import InvalidInput
from gateway.fusion.grouped import summed

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
    years: Years, *, first_seen: ArrayLike = -np.inf, removed: ArrayLike = np.inf
) -> NDArray[np.float64]:
    """Probability, 0..1, that a performer had a tattoo in each year; of several tattoos [tattoos, years].

    first_seen: year of the earliest dated picture of it: it may be older. removed: the last year in which it
    was there. One number, or one for each tattoo; infinite where it is not known.

    Raises InvalidInput when it was gone before it was first seen.
    """
    seen, gone = (np.asarray(one, np.float64)[..., None] for one in (first_seen, removed))
    if (gone < seen).any():
        raise InvalidInput("removed: before the tattoo was there")
    has_it = np.exp(-np.maximum(seen - years, 0.0) / _YEARS_BEFORE_SEEN)
    return np.where(years > gone, 0.0, has_it)


def natural_llrs(
    years: Years, histories: Sequence[Sequence[Appearance]], *, stated: float, usual: float
) -> NDArray[np.float64]:
    """Log ratio of what is stated of a scene, were it this performer in each year, over a stranger.

    histories: of each performer; what comes back is [performers, years].

    stated: probability, as the caller says, that the person in the scene looks natural; usual: share of all
    performers of whom that is true. log(n s + (1 - n)(1 - s)) - log(u s + (1 - u)(1 - s)), where n is
    the mean of what the sources say of that year; 0 in a year of which none says anything.

    Raises InvalidInput for a value outside 0..1.
    """
    said = [one for history in histories for one in history]
    owners = [number for number, history in enumerate(histories) for _ in history]
    for name, value in [("stated", stated), ("usual", usual), *(("natural", one.natural) for one in said)]:
        if not 0 <= value <= 1:
            raise InvalidInput(f"{name}: not within 0..1")
    speaks, natural = _speaks(years, said), np.array([one.natural for one in said])
    sources = summed(speaks, owners, len(histories))
    mean = _held(summed(natural[:, None] * speaks, owners, len(histories)) / np.maximum(sources, 1))
    theirs, anybodys = _agreeing(mean, stated), _agreeing(_held(np.array(usual)), stated)
    return np.where(sources > 0, np.log(theirs / anybodys), 0.0)


def _speaks(years: Years, said: Sequence[Appearance]) -> NDArray[np.float64]:
    """1 in the years that each is of [said, years]."""
    first = np.array([-np.inf if one.first is None else one.first for one in said])[:, None]
    last = np.array([np.inf if one.last is None else one.last for one in said])[:, None]
    return np.asarray((years >= first) & (years <= last), np.float64)


def _held(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.clip(probability, _LEAST_DOUBT, 1 - _LEAST_DOUBT), np.float64)


def _agreeing(natural: NDArray[np.float64], stated: float) -> NDArray[np.float64]:
    return np.asarray(natural * stated + (1 - natural) * (1 - stated), np.float64)
