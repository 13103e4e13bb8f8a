"""Fits calibrations on genuine and impostor pairs. Pure.

Impostors: their own distribution with a generalised Pareto tail (`chassis/signal/tail.py`), for in a large
gallery what counts lies where hardly any pair is. Genuine views: a smoothed density (Silverman 1986) of those
that did not fail; which did is estimated together with it by expectation and maximisation (Dempster, Laird
and Rubin 1977). What has to rise or fall is made so by pooling neighbours (Ayer and others 1955).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput, Refused
from chassis.signal.calibration import Calibration
from chassis.signal.tail import Tail, fit_tail

__all__ = ["LEAST_PAIRS", "Pairs", "TooFewPairs", "fit_calibration"]

LEAST_PAIRS = 30
"""Genuine pairs, and impostor pairs, without which nothing is fitted."""

Values = NDArray[np.float64]

# Ratios end at so many times the number of impostor pairs: so far beyond its sample a tail is believed.
_BEYOND = 1000.0
_QUALITIES = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0])
_ROUNDS = 30
# Steps between knots in the tail, in natural logs of the share above.
_STEP = 0.75
_UPPER = (0.999, 0.99, 0.95, 0.9, 0.75, 0.5, 0.25)
_LEAST_BAND = 0.01


class TooFewPairs(Refused):
    """Nobody's fault: too little is enrolled to calibrate on."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one kind: `similarities` and `qualities` [n] (0..1, of the probe)."""

    similarities: Values
    qualities: Values

    def __len__(self) -> int:
        return len(self.similarities)


def fit_calibration(genuine: Pairs, impostors: Pairs) -> Calibration:
    """Fit the map. Ratios end at the log of a thousand times the number of impostor pairs.

    Raises TooFewPairs under LEAST_PAIRS of a kind, InvalidInput for a value that is not finite.
    """
    for name, pairs in (("genuine", genuine), ("impostor", impostors)):
        if not (np.isfinite(pairs.similarities).all() and np.isfinite(pairs.qualities).all()):
            raise InvalidInput(f"{name} pairs: a value is not finite")
        if len(pairs) < LEAST_PAIRS:
            raise TooFewPairs(f"{len(pairs)} {name} pairs are too few, {LEAST_PAIRS} are needed")
    most = math.log(len(impostors) * _BEYOND)
    tail = fit_tail(impostors.similarities)
    knots = _knots(tail, most)
    ratios, failures = _mixture(genuine, tail, knots)
    return Calibration(
        similarities=tuple(map(float, knots)),
        ratios=tuple(map(float, ratios)),
        qualities=tuple(map(float, _QUALITIES)),
        failures=tuple(map(float, failures)),
        most=most,
        genuine=len(genuine),
        impostors=len(impostors),
    )


def _knots(tail: Tail, most: float) -> Values:
    """Similarities that ever fewer impostors exceed."""
    shares = np.concatenate([_UPPER, np.exp(-np.arange(2 * _STEP, most, _STEP))])
    return np.unique(np.concatenate([[-1.0], tail.value_at(shares).round(5), [1.0]]))


def _mixture(genuine: Pairs, tail: Tail, knots: Values) -> tuple[Values, Values]:
    """Log ratios at the knots, and shares of failed views at _QUALITIES."""
    edges = np.concatenate([[-np.inf], (knots[1:] + knots[:-1]) / 2, [np.inf]])
    above = np.concatenate([[1.0], tail.share_above(edges[1:-1]), [0.0]])
    impostor = np.maximum(above[:-1] - above[1:], 1e-12)
    masses = _smoothed(genuine.similarities, edges)
    weights = np.stack([np.interp(genuine.qualities, _QUALITIES, one) for one in np.eye(len(_QUALITIES))], 1)
    # Before anything is known a view fails the more the poorer it is, worth one pair at each knot.
    shown = np.full(len(genuine), 0.8)
    for _ in range(_ROUNDS):
        # One more view, as alike as anybody's: where there is hardly any, nothing follows from none.
        mass = shown @ masses + impostor
        ratios = np.log(pooled(mass / mass.sum() / impostor, impostor))
        failed = (1 - shown) @ weights + (1 - _QUALITIES)
        counts = weights.sum(axis=0) + 1
        failures = np.clip(-pooled(-failed / counts, counts), 1 / (len(genuine) + 1), 1.0)
        of_each = weights @ failures
        likely = (1 - of_each) * np.exp(np.minimum(np.interp(genuine.similarities, knots, ratios), 50))
        shown = likely / (of_each + likely)
    return ratios, failures


def _smoothed(similarities: Values, edges: Values) -> Values:
    """Of each view the mass [n, knots] that a normal kernel gives to each cell."""
    low, high = np.quantile(similarities, [0.25, 0.75])
    spread = min(float(similarities.std()), float(high - low) / 1.34)
    band = max(_LEAST_BAND, 0.9 * spread * len(similarities) ** -0.2)
    below = _normal((edges[None, :] - similarities[:, None]) / band)
    return np.diff(below, axis=1)


# The standard normal distribution function.
_normal = np.vectorize(NormalDist().cdf, otypes=[np.float64])


def pooled(values: Values, weights: Values) -> Values:
    """The nearest [n] that never falls, by weighted squares: neighbours that fall are pooled."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        block = (float(value), float(weight), 1)
        while blocks and blocks[-1][0] > block[0]:
            before = blocks.pop()
            total = before[1] + block[1]
            block = ((before[0] * before[1] + block[0] * block[1]) / total, total, before[2] + block[2])
        blocks.append(block)
    return np.concatenate([np.full(count, value) for value, _, count in blocks])
