"""How much a figure depends on who happens to be enrolled: performers drawn anew with replacement. Pure.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), percentile intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "Values", "draws", "interval_of", "mean_interval", "sums_by"]

_ROUNDS = 2000
_LOW, _HIGH = 2.5, 97.5

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, and 95% of what it is when performers are drawn anew."""

    value: float
    low: float
    high: float


def draws(performers: int, *, seed: int) -> Values:
    """How often each performer is drawn, (2000, n): each row sums to n. Needs at least one performer."""
    shares = np.full(performers, 1 / performers)
    return np.random.default_rng(seed).multinomial(performers, shares, size=_ROUNDS).astype(np.float64)


def interval_of(value: float, drawn: Values) -> Interval:
    """The interval of a figure over what it was in each draw."""
    low, high = np.percentile(drawn, (_LOW, _HIGH))
    return Interval(value, float(low), float(high))


def sums_by(names: Sequence[str], values: Values, performers: Sequence[str]) -> tuple[Values, Values]:
    """Sums of values and their numbers, by performer in the order of `performers`, (n,) each."""
    known = {name: place for place, name in enumerate(performers)}
    places = np.array([known[name] for name in names], np.intp)
    sums, counts = np.zeros(len(performers)), np.zeros(len(performers))
    np.add.at(sums, places, values)
    np.add.at(counts, places, 1.0)
    return sums, counts


def mean_interval(names: Sequence[str], values: Values, *, seed: int) -> Interval:
    """The mean over performers of each one's mean value. Needs at least one value."""
    sums, counts = sums_by(names, values, sorted(set(names)))
    means = sums / counts
    drawn = draws(len(means), seed=seed) @ means / len(means)
    return interval_of(float(means.mean()), drawn)
