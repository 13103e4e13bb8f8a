"""When a scene was taken: evidence that hangs on the year, marginalised over the possible years. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput

__all__ = ["Dated", "Years", "dated", "log_mean", "shares", "spread"]

Years = NDArray[np.float64]
"""One value a year."""


@dataclass(frozen=True, slots=True)
class Dated:
    """Evidence over the years, of one candidate or of several [...]."""

    llr: Years
    """Natural log of the ratio with the year marginalised [...]."""
    years: Years
    """P(year | it is this candidate), sums to 1 [..., years]."""


def dated(prior: Years, llrs: Sequence[Years]) -> Dated:
    """Marginalise: log sum over years of prior x exp(sum of the log ratios of that year).

    prior [years]: P(year) before, 0 or more, not all 0; it is normalised. A scene whose date is known has all
    of it in one year. llrs: of each piece of evidence [..., years]; none: the prior comes back.

    Raises InvalidInput for values that are not finite, lengths that differ, or a prior without any mass.
    """
    *_, logs = _cumulative(prior, llrs)
    return _marginal(logs)


def log_mean(logs: Years) -> Years:
    """Log of the sum over the years of what these are the logs of [...]."""
    largest, _, total = _masses(logs)
    return np.asarray((largest + np.log(total))[..., 0], np.float64)


def shares(
    prior: Years, llrs: Sequence[Years], spreads: Sequence[Years] | None = None
) -> tuple[tuple[Years, ...], Dated]:
    """What each piece of evidence changes [...], given those before it, and all together, as `dated`.

    Where evidence hangs on the same years it does not simply add up, and the order decides to whom the
    difference is put down. With one possible year each is its own ratio. spreads: `spread` of each, where it
    is known. Raises InvalidInput as `dated`.
    """
    *before, logs = _cumulative(prior, llrs)
    together, ranges = _marginal(logs), spreads if spreads is not None else [spread(one) for one in llrs]
    after = [*(log_mean(one) for one in before), together.llr]
    found = tuple(
        # What is the same in all years only shifts the sum.
        np.where(ranges[number] == 0, one[..., 0], after[number + 1] - after[number])
        for number, one in enumerate(llrs)
    )
    return found, together


def spread(llrs: Years) -> Years:
    """By how much the years differ at most [...]."""
    return np.asarray(llrs.max(axis=-1) - llrs.min(axis=-1), np.float64)


def _cumulative(prior: Years, llrs: Sequence[Years]) -> list[Years]:
    """Log of prior, and of it with each piece of evidence and all those before it."""
    if any(one.shape[-1:] != prior.shape or one.shape != llrs[0].shape for one in llrs):
        raise InvalidInput("evidence and prior speak of different years")
    if not (np.isfinite(prior).all() and all(np.isfinite(one).all() for one in llrs)):
        raise InvalidInput("a probability or a log-likelihood ratio is not finite")
    if prior.size == 0 or (prior < 0).any() or prior.sum() <= 0:
        raise InvalidInput("no year is possible")
    with np.errstate(divide="ignore"):
        first = np.log(prior / prior.sum())
    return list(accumulate(llrs, np.add, initial=first))


def _marginal(logs: Years) -> Dated:
    largest, masses, total = _masses(logs)
    masses /= total
    return Dated(np.asarray((largest + np.log(total))[..., 0]), masses)


def _masses(logs: Years) -> tuple[Years, Years, Years]:
    """The largest log, the masses over its mass, and their sum."""
    largest = logs.max(axis=-1, keepdims=True)
    masses = logs - largest
    np.exp(masses, out=masses)
    return largest, masses, masses.sum(axis=-1, keepdims=True)
