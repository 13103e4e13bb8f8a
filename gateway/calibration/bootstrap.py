"""How much a figure depends on who happens to be enrolled: performers drawn anew with replacement. Pure.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), percentile intervals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "Values", "draws", "interval_of", "mean_interval", "sums_by"]

_ROUNDS = 2000
# Numbers that are there at a time: 8 MB of each kind, however many performers there are.
_MOST_AT_ONCE = 1_000_000
_LOW, _HIGH = 2.5, 97.5

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure, and 95% of what it is when performers are drawn anew."""

    value: float
    low: float
    high: float


def draws(performers: int, *, seed: int) -> Iterator[Values]:
    """How often each performer is drawn, 2000 rows in all, (m, n) at a time: each row sums to n.

    Needs at least one performer. The same for the same seed.
    """
    shares, rng = np.full(performers, 1 / performers), np.random.default_rng(seed)
    portion = max(1, _MOST_AT_ONCE // performers)
    for start in range(0, _ROUNDS, portion):
        rows = min(portion, _ROUNDS - start)
        yield rng.multinomial(performers, shares, size=rows).astype(np.float64)


def interval_of(value: float, drawn: Values) -> Interval:
    """The interval of a figure over what it was in each draw."""
    low, high = np.percentile(drawn, (_LOW, _HIGH))
    return Interval(value, float(low), float(high))


def sums_by(numbers: NDArray[np.integer], values: Values, performers: int) -> tuple[Values, Values]:
    """Sums of values and how many they are, by the performer's number 0..performers-1, (performers,) each."""
    sums = np.bincount(numbers, values, performers)
    counts = np.bincount(numbers, minlength=performers)
    return sums.astype(np.float64), counts.astype(np.float64)


def mean_interval(names: Sequence[str], values: Values, *, seed: int) -> Interval:
    """The mean over performers of each one's mean value. Needs at least one value."""
    each, numbers = np.unique(np.array(names), return_inverse=True)
    sums, counts = sums_by(numbers, values, len(each))
    means = sums / counts
    drawn = np.concatenate([weights @ means for weights in draws(len(means), seed=seed)]) / len(means)
    return interval_of(float(means.mean()), drawn)
