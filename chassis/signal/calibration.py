"""From a similarity to a pairwise log-likelihood ratio: a logistic map that knows a view's quality. Pure.

Fitted on genuine and impostor pairs weighted by a prior, whose log odds are then taken off the logit, so
that the ratio is left and no prior hides in it. The prior says where the fit is best: one in a hundred, for
of a gallery hardly anybody is meant. Sources: Brümmer and du Preez, "Application-independent evaluation of
speaker detection" (2006), for the fit and C_llr; Vergeer et al., "Numerical likelihood ratios outputted by LR
systems are often based on extrapolation" (2016), for why ratios end where the pairs do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput, Refused

__all__ = ["LEAST_PAIRS", "Calibration", "Pairs", "TooFewPairs", "cllr", "fit_calibration"]

LEAST_PAIRS = 30
"""Genuine pairs, and impostor pairs, without which nothing is fitted."""

_PRIOR = 0.01
# Ridge on standardised columns, over the root of the number of pairs: few are not believed entirely.
_RIDGE = 0.02
_STEPS = 50
# Share of the genuine pairs under whose quality the fit is not believed.
_POOREST = 0.02
_TINY = 1e-3

Values = NDArray[np.float64]


class TooFewPairs(Refused):
    """Nobody's fault: too little is enrolled to calibrate on."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one kind: `similarities` and `qualities` [n] (0..1, of the worse view of each pair)."""

    similarities: Values
    qualities: Values

    def __len__(self) -> int:
        return len(self.similarities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted map. At quality q the slope is slope_poor (1 - q) + slope_good q, which is 0 or more.

    Under least_quality, where hardly any pairs were, it is that of least_quality times q / least_quality:
    what is seen worse than anything fitted says less and less, and at last nothing.
    """

    intercept: float
    slope_poor: float
    slope_good: float
    quality_intercept: float
    least_quality: float
    """Above 0, at most 1."""
    least: float
    """The ratio that speaks most against, at most 0."""
    most: float
    """The ratio that speaks most for, 0 or more."""
    genuine: int
    """Pairs that it was fitted on."""
    impostors: int

    def llr(self, similarity: float, quality: float) -> float:
        """Natural log of P(similarity | same) / P(similarity | another), least..most; rises with similarity.

        quality: 0..1. Raises InvalidInput for a value that is not finite.
        """
        if not (math.isfinite(similarity) and math.isfinite(quality)):
            raise InvalidInput("a similarity or a quality is not finite")
        q = min(1.0, max(self.least_quality, quality))
        slope = self.slope_poor * (1 - q) + self.slope_good * q
        raw = self.intercept + self.quality_intercept * q + slope * similarity
        known = min(1.0, max(0.0, quality) / self.least_quality)
        return known * min(self.most, max(self.least, raw))


def fit_calibration(genuine: Pairs, impostors: Pairs) -> Calibration:
    """Fit by Newton's method. Ratios end at the log of the number of pairs of the other kind.

    Raises TooFewPairs under LEAST_PAIRS of a kind, InvalidInput for a value that is not finite.
    """
    for name, pairs in (("genuine", genuine), ("impostor", impostors)):
        if not (np.isfinite(pairs.similarities).all() and np.isfinite(pairs.qualities).all()):
            raise InvalidInput(f"{name} pairs: a value is not finite")
        if len(pairs) < LEAST_PAIRS:
            raise TooFewPairs(f"{len(pairs)} {name} pairs are too few, {LEAST_PAIRS} are needed")
    columns = np.concatenate([_columns(genuine), _columns(impostors)])
    labels = np.repeat([1.0, 0.0], [len(genuine), len(impostors)])
    weights = np.repeat(
        [_PRIOR / len(genuine), (1 - _PRIOR) / len(impostors)], [len(genuine), len(impostors)]
    )
    intercept, poor, good, quality = _rising(columns, labels, weights)
    return Calibration(
        intercept=intercept,
        slope_poor=poor,
        slope_good=good,
        quality_intercept=quality,
        least_quality=max(_TINY, float(np.quantile(genuine.qualities.clip(0, 1), _POOREST))),
        least=-math.log(len(genuine) + 1),
        most=math.log(len(impostors) + 1),
        genuine=len(genuine),
        impostors=len(impostors),
    )


def cllr(genuine: Values, impostors: Values) -> float:
    """C_llr of log ratios [n], in bits: 0 is perfect, 1 says nothing, more misleads."""
    missed = np.logaddexp(0, -genuine).mean()
    alarmed = np.logaddexp(0, impostors).mean()
    return float((missed + alarmed) / 2 / math.log(2))


def _columns(pairs: Pairs) -> Values:
    """[n, 4]: 1, s (1 - q), s q, q."""
    s, q = pairs.similarities, pairs.qualities.clip(0, 1)
    return np.stack([np.ones(len(s)), s * (1 - q), s * q, q], axis=1)


def _rising(columns: Values, labels: Values, weights: Values) -> list[float]:
    """Coefficients of the columns; a slope that would fall is left out."""
    kept = [0, 1, 2, 3]
    while True:
        found = dict(zip(kept, _logistic(columns[:, kept], labels, weights), strict=True))
        falling = [index for index in (1, 2) if found.get(index, 0.0) < 0]
        if not falling:
            return [float(found.get(index, 0.0)) for index in range(4)]
        kept.remove(min(falling, key=lambda index: found[index]))


def _logistic(columns: Values, labels: Values, weights: Values) -> Values:
    """Weighted logistic regression without the prior's log odds; the first column is the constant one."""
    odds = math.log(_PRIOR / (1 - _PRIOR))
    mean = np.average(columns, axis=0, weights=weights)
    spread = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=weights))
    mean[0], spread[0] = 0.0, 1.0
    spread[spread < 1e-9] = 1.0
    scaled = (columns - mean) / spread
    ridge = np.full(columns.shape[1], _RIDGE * _PRIOR / len(labels) ** 0.5)
    ridge[0] = 0.0
    found = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(scaled @ found + odds, -40, 40)))
        slope = scaled.T @ (weights * (labels - p)) - ridge * found
        curve = (scaled * (weights * p * (1 - p))[:, None]).T @ scaled + np.diag(ridge + 1e-12)
        step = np.clip(np.linalg.solve(curve, slope), -3, 3)
        found += step
        if np.abs(step).max() < 1e-8:
            break
    plain = found / spread
    plain[0] = found[0] - (plain[1:] * mean[1:]).sum()
    return np.asarray(plain, np.float64)
