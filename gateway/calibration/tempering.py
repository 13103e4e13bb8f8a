"""How much of a body's log ratios holds on this library: they have no parameters, and are weighed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.signal.calibration_fitting import Pairs

__all__ = ["Tempered", "fit_tempered"]

_HALVINGS = 12
_DECIMALS = 2

_Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tempered:
    """Log ratios times a weight, 0..1: 1 believes them, 0 says nothing."""

    weight: float

    def llrs(self, similarities: _Values, qualities: _Values) -> _Values:
        """Natural logs, (n,); a body's similarities are log ratios themselves."""
        weighed: _Values = self.weight * np.asarray(similarities, np.float64)
        return weighed


def fit_tempered(genuine: Pairs, impostors: Pairs) -> Tempered:
    """The weight with the least C_llr (Brummer & du Preez 2006), in hundredths; 0 where none is below 1 bit.

    C_llr is convex in the weight, so its slope is halved between 0 and 1. 0 without pairs of both kinds.
    """
    if not len(genuine) or not len(impostors):
        return Tempered(0.0)
    low, high = 0.0, 1.0
    if _slope(high, genuine, impostors) <= 0:
        return Tempered(1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _slope(middle, genuine, impostors) > 0:
            high = middle
        else:
            low = middle
    return Tempered(round(low, _DECIMALS))


def _slope(weight: float, genuine: Pairs, impostors: Pairs) -> float:
    """Of C_llr at this weight, in nats."""
    missed = -(genuine.similarities * _share(-weight * genuine.similarities)).mean()
    alarmed = (impostors.similarities * _share(weight * impostors.similarities)).mean()
    return float(missed + alarmed)


def _share(logits: _Values) -> _Values:
    shares: _Values = 1 / (1 + np.exp(-logits))
    return shares
