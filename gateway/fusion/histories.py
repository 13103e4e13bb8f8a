"""What changed over a career, year by year: tattoos that came and went, and appearance. Pure.

Years are arrays [years] of whole numbers, such as 2005..2026; what comes back has one value for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chassis.errors import InvalidInput

__all__ = ["Appearances", "has_tattoo", "natural_llrs"]

Years = NDArray[np.int64]

# Not fitted. A tattoo first seen in some year may be older: less likely by a factor e every so many years.
_YEARS_BEFORE_SEEN = 3.0
# Not fitted. Metadata is wrong, or somebody misjudges a picture, at least so often.
_LEAST_DOUBT = 0.04


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Appearances:
    """What sources say of several performers, each of the years from `first` to `last`, both included."""

    owners: ArrayLike
    """Of whom it is said: number of the performer, from 0."""
    natural: ArrayLike
    """Probability, 0..1."""
    first: ArrayLike
    """-inf: open."""
    last: ArrayLike
    """inf: open."""


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
    return np.asarray(has_it * (years <= gone), np.float64)


def natural_llrs(
    years: Years, said: Appearances, count: int, *, stated: float, usual: float
) -> NDArray[np.float64]:
    """Log ratio of what is stated of a scene, were it this performer in each year, over a stranger.

    What comes back is [count, years], one row for each performer.

    stated: probability, as the caller says, that the person in the scene looks natural; usual: share of all
    performers of whom that is true. log(n s + (1 - n)(1 - s)) - log(u s + (1 - u)(1 - s)), where n is
    the mean of what the sources say of that year; 0 in a year of which none says anything.

    Raises InvalidInput for a value outside 0..1.
    """
    natural = np.asarray(said.natural, np.float64)
    for name, values in (("stated", stated), ("usual", usual), ("natural", natural)):
        if not np.all((np.asarray(values) >= 0) & (np.asarray(values) <= 1)):
            raise InvalidInput(f"{name}: not within 0..1")
    sources, sums = _totals(years, said, (np.ones_like(natural), natural), count)
    mean = _held(sums / np.maximum(sources, 1))
    theirs, anybodys = _agreeing(mean, stated), _agreeing(_held(np.array(usual)), stated)
    return np.asarray(np.log(theirs / anybodys) * (sources > 0.5), np.float64)


def _totals(
    years: Years, said: Appearances, values: Iterable[NDArray[np.float64]], count: int
) -> Iterator[NDArray[np.float64]]:
    """Of each of several values the sum over each performer's that are of a year [count, years].

    A value comes in its first year and goes after its last one, so that nothing is as long as all years of
    everything that is said.
    """
    first = np.searchsorted(years, np.asarray(said.first, np.float64), side="left")
    after = np.searchsorted(years, np.asarray(said.last, np.float64), side="right")
    width, is_any = len(years) + 1, first < after
    rows = np.asarray(said.owners, np.intp) * width
    cells = np.concatenate((rows + first, rows + after))
    for one in values:
        changes = np.concatenate((one * is_any, -one * is_any))
        steps = np.bincount(cells, changes, minlength=count * width).reshape(count, width)
        yield np.asarray(np.cumsum(steps, axis=1)[:, :-1], np.float64)


def _held(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.clip(probability, _LEAST_DOUBT, 1 - _LEAST_DOUBT), np.float64)


def _agreeing(natural: NDArray[np.float64], stated: float) -> NDArray[np.float64]:
    return np.asarray(natural * stated + (1 - natural) * (1 - stated), np.float64)
