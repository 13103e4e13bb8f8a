"""How seldom impostors are so alike: a sample, and beyond it a generalised Pareto tail. Pure.

Sources: Pickands, "Statistical inference using extreme order statistics" (1975), for the tail; Hosking and
Wallis, "Parameter and quantile estimation for the generalized Pareto distribution" (1987), for its moments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tail", "fit_tail"]

Values = NDArray[np.float64]

_SHARE = 1 / 500
_LEAST = 50
# An exponential tail is the limit where the shape is 0.
_FLAT = 1e-6
# No sample here can show a heavier tail than exponential; similarities end at 1 anyway.
_HEAVIEST = 0.0


@dataclass(frozen=True, slots=True)
class Tail:
    """A distribution of similarities: its sample, and what lies beyond the sample's largest 0.2%."""

    ordered: Values
    """[n], sorted."""
    size: int
    """How many of the largest ones the tail stands for."""
    shape: float
    scale: float

    @property
    def start(self) -> float:
        """Where the tail begins."""
        return float(self.ordered[len(self.ordered) - self.size])

    def share_above(self, similarities: Values) -> Values:
        """P(an impostor is at least so alike), above 0, at most 1; [n] for similarities [n]."""
        count = len(self.ordered)
        inside = (count - np.searchsorted(self.ordered, similarities, "left")) / count
        over = np.maximum(similarities - self.start, 0) / self.scale
        if abs(self.shape) < _FLAT:
            beyond = np.exp(-over)
        else:
            beyond = np.maximum(1 + self.shape * over, 1e-12) ** (-1 / self.shape)
        tail = np.maximum(self.size / count * beyond, 1e-300)
        return np.where(similarities < self.start, np.minimum(np.maximum(inside, self.size / count), 1), tail)

    def value_at(self, share: Values) -> Values:
        """The similarity that a share [n] of impostors, above 0, at most 1, exceeds; at most 1."""
        count = len(self.ordered)
        # As numpy.quantile, which does not know that the sample is sorted.
        place = np.clip(1 - share, 0, 1) * (count - 1)
        below = np.floor(place).astype(np.int64)
        lower, upper = self.ordered[below], self.ordered[np.minimum(below + 1, count - 1)]
        inside = lower + (place - below) * (upper - lower)
        rest = np.clip(share * count / self.size, 1e-12, 1)
        if abs(self.shape) < _FLAT:
            beyond = self.start - self.scale * np.log(rest)
        else:
            beyond = self.start + self.scale / self.shape * (rest**-self.shape - 1)
        return np.minimum(np.where(share * count >= self.size, inside, beyond), 1.0)


def fit_tail(similarities: Values) -> Tail:
    """Fit to impostors' similarities [n], n at least 2; by moments, never heavier than exponential."""
    ordered = np.sort(similarities)
    size = min(len(ordered) // 2, max(_LEAST, round(len(ordered) * _SHARE)))
    over = ordered[len(ordered) - size :] - ordered[len(ordered) - size]
    mean, variance = float(over.mean()) + 1e-9, float(over.var()) + 1e-12
    shape = min(_HEAVIEST, 0.5 * (1 - mean**2 / variance))
    return Tail(ordered, size, shape, mean * (1 - shape))
