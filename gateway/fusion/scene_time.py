"""When a scene was taken: evidence that hangs on the year, marginalised over the possible years. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput

__all__ = ["Dated", "Years", "dated", "shares"]

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


def shares(prior: Years, llrs: Sequence[Years]) -> tuple[tuple[Years, ...], Dated]:
    """What each piece of evidence changes [...], given those before it, and all together, as `dated`.

    Where evidence hangs on the same years it does not simply add up, and the order decides to whom the
    difference is put down. With one possible year each is its own ratio. Raises InvalidInput as `dated`.
    """
    after = [_marginal(logs) for logs in _cumulative(prior, llrs)]
    found = tuple(
        # What is the same in all years only shifts the sum.
        np.where(np.ptp(one, axis=-1) == 0, one[..., 0], after[number + 1].llr - after[number].llr)
        for number, one in enumerate(llrs)
    )
    return found, after[-1]


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
    largest = logs.max(axis=-1, keepdims=True)
    masses = np.exp(logs - largest)
    total = masses.sum(axis=-1, keepdims=True)
    return Dated(np.asarray((largest + np.log(total))[..., 0]), masses / total)
