"""From a similarity to a pairwise log-likelihood ratio: a logistic map that knows a view's quality. Pure.

Fitted on genuine and impostor pairs weighted by a prior, whose log odds are then taken off the logit, so
that the ratio is left and no prior hides in it. The prior says where the fit is best: one in a hundred, for
of a gallery hardly anybody is meant. Sources: Brümmer and du Preez, "Application-independent evaluation of
speaker detection" (2006), for the fit and C_llr; Vergeer et al., "Numerical likelihood ratios outputted by LR
systems are often based on extrapolation" (2016), for why ratios end where the pairs do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
# Of the neutral similarity.
_RESOLUTION = 1e-4

Values = NDArray[np.float64]


class TooFewPairs(Refused):
    """Nobody's fault: too little is enrolled to calibrate on."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one kind: `similarities` and `qualities` [n] (0..1, of the probe)."""

    similarities: Values
    qualities: Values

    def __len__(self) -> int:
        return len(self.similarities)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted map: (slope_poor (1 - q) + slope_good q) (similarity - neutral) at quality q.

    slope_good is slope_poor at least, and that is 0 at least: a poor view says less, in either direction.
    Under least_quality, where hardly any pairs were, it is that of least_quality times q / least_quality:
    what is seen worse than anything fitted says less and less, and at last nothing.
    """

    neutral: float
    """The similarity that speaks neither for nor against."""
    slope_poor: float
    slope_good: float
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
        raw = (self.slope_poor * (1 - q) + self.slope_good * q) * (similarity - self.neutral)
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
    kinds = (genuine, impostors)
    similarities = np.concatenate([one.similarities for one in kinds])
    qualities = np.concatenate([one.qualities.clip(0, 1) for one in kinds])
    labels = np.repeat([1.0, 0.0], [len(genuine), len(impostors)])
    weights = np.repeat(
        [_PRIOR / len(genuine), (1 - _PRIOR) / len(impostors)], [len(genuine), len(impostors)]
    )

    def sloped(neutral: float) -> _Sloped:
        return _sloped(similarities - neutral, qualities, labels, weights)

    low, high = float(impostors.similarities.min()), float(genuine.similarities.max())
    neutral = _least_loss(lambda middle: sloped(middle).loss, low, high)
    found = sloped(neutral)
    return Calibration(
        neutral=neutral,
        slope_poor=found.poor,
        slope_good=found.good,
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


@dataclass(frozen=True, slots=True)
class _Sloped:
    poor: float
    good: float
    loss: float


def _sloped(over: Values, qualities: Values, labels: Values, weights: Values) -> _Sloped:
    """The best slopes, 0 <= poor <= good, for similarities [n] over the neutral one."""

    def fitted(*columns: Values) -> tuple[Values, float]:
        return _logistic(np.stack(columns, axis=1), labels, weights)

    (poor, more), loss = fitted(over, over * qualities)
    if poor >= 0 and more >= 0:
        return _Sloped(float(poor), float(poor + more), loss)
    # The best ones within the bounds lie on a bound: no difference by quality, or nothing from poor views.
    ([alike], first), ([good], second) = fitted(over), fitted(over * qualities)
    bounds = [(float(alike), float(alike), first), (0.0, float(good), second)]
    allowed = [_Sloped(*one) for one in bounds if one[1] >= 0]
    # Without a slope the prior is all there is: its entropy.
    nothing = _Sloped(0.0, 0.0, -_PRIOR * math.log(_PRIOR) - (1 - _PRIOR) * math.log1p(-_PRIOR))
    return min(allowed, key=lambda one: one.loss, default=nothing)


def _logistic(columns: Values, labels: Values, weights: Values) -> tuple[Values, float]:
    """Weighted logistic regression through 0, at the prior's log odds: coefficients, and the loss."""
    odds = math.log(_PRIOR / (1 - _PRIOR))
    spread = np.sqrt(np.average(columns**2, axis=0, weights=weights)).clip(1e-9)
    scaled = columns / spread
    ridge = np.full(columns.shape[1], _RIDGE * _PRIOR / len(labels) ** 0.5)
    found = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(scaled @ found + odds, -40, 40)))
        slope = scaled.T @ (weights * (labels - p)) - ridge * found
        curve = (scaled * (weights * p * (1 - p))[:, None]).T @ scaled + np.diag(ridge + 1e-12)
        step = np.clip(np.linalg.solve(curve, slope), -3, 3)
        found += step
        if np.abs(step).max() < 1e-8:
            break
    logits = scaled @ found + odds
    loss = float(weights @ (np.logaddexp(0, logits) - labels * logits) + ridge @ found**2 / 2)
    return found / spread, loss


def _least_loss(loss: Callable[[float], float], low: float, high: float) -> float:
    """Where a loss with one valley is least, by golden section (Kiefer 1953)."""
    share = (math.sqrt(5) - 1) / 2
    left, right = high - share * (high - low), low + share * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > _RESOLUTION:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - share * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + share * (high - low)
            at_right = loss(right)
    return (low + high) / 2
