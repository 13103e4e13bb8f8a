"""When a scene was taken: evidence that hangs on the year, marginalised over the possible years. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput

__all__ = ["Dated", "Years", "dated", "shares"]

Years = NDArray[np.float64]
"""One value a year."""


@dataclass(frozen=True, slots=True)
class Dated:
    """One candidate's evidence over the years."""

    llr: float
    """Natural log of the ratio with the year marginalised."""
    years: Years
    """P(year | it is this candidate), sums to 1."""


def dated(prior: Years, llrs: Sequence[Years]) -> Dated:
    """Marginalise: log sum over years of prior x exp(sum of the log ratios of that year).

    prior [years]: P(year) before, 0 or more, not all 0; it is normalised. A scene whose date is known has all
    of it in one year. llrs: of each piece of evidence [years]; none: the prior comes back.

    Raises InvalidInput for values that are not finite, lengths that differ, or a prior without any mass.
    """
    if any(one.shape != prior.shape for one in llrs):
        raise InvalidInput("evidence and prior speak of different years")
    if not (np.isfinite(prior).all() and all(np.isfinite(one).all() for one in llrs)):
        raise InvalidInput("a probability or a log-likelihood ratio is not finite")
    if prior.size == 0 or (prior < 0).any() or prior.sum() <= 0:
        raise InvalidInput("no year is possible")
    with np.errstate(divide="ignore"):
        logs = np.log(prior / prior.sum())
    logs = logs + np.sum(llrs, axis=0) if llrs else logs
    largest = logs.max()
    masses = np.exp(logs - largest)
    return Dated(float(largest + np.log(masses.sum())), np.asarray(masses / masses.sum(), np.float64))


def shares(prior: Years, llrs: Sequence[Years]) -> tuple[float, ...]:
    """What each piece of evidence changes, given those before it; together they are `dated(...).llr`.

    Where evidence hangs on the same years it does not simply add up, and the order decides to whom the
    difference is put down. With one possible year each is its own ratio. Raises InvalidInput as `dated`.
    """
    found, counted, before = [], list[Years](), 0.0
    for one in llrs:
        # What is the same in all years only shifts the sum.
        if one.size and np.isfinite(one).all() and np.ptp(one) == 0:
            found.append(float(one[0]))
            continue
        counted.append(one)
        after = dated(prior, counted).llr
        found.append(after - before)
        before = after
    return tuple(found)
