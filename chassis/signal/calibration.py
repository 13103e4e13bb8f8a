"""From a similarity to a pairwise log-likelihood ratio: a map that knows a view's quality. Pure.

A genuine view either shows what the embedder needs or fails, and then it is as alike as somebody else's:

    LR(s, q) = f(q) + (1 - f(q)) exp(r(s))

f is the share of views of quality q that fail, falling with q; r is the log of the densities of genuine views
that do not fail and of impostors, rising with s. So a poor view says less, in either direction, and however
unlike two views are, it may have failed. `chassis/signal/calibration_fitting.py` fits it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput

__all__ = ["Calibration", "cllr"]

Values = NDArray[np.float64]

_MOST_KNOTS = 100
# No number of pairs supports more, and its exponential is still a number.
_LARGEST = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted map. Between its knots it is straight, beyond them it stays as it is.

    Raises InvalidInput for knots that do not rise, ratios that fall or are beyond 100, shares that rise or
    are not within 0..1, counts below 0, and anything that is not finite.
    """

    similarities: tuple[float, ...]
    """Knots of r, at least two, rising."""
    ratios: tuple[float, ...]
    """r at each, natural log, never falling."""
    qualities: tuple[float, ...]
    """Knots of f, rising within 0..1."""
    failures: tuple[float, ...]
    """f at each, above 0, at most 1, never rising."""
    most: float
    """The ratio that speaks most for, 0..100."""
    genuine: int
    """Pairs that it was fitted on."""
    impostors: int

    def __post_init__(self) -> None:
        for name, knots, values in (
            ("ratios", self.similarities, self.ratios),
            ("failures", self.qualities, self.failures),
        ):
            if not 2 <= len(knots) == len(values) <= _MOST_KNOTS:
                raise InvalidInput(f"{name}: not one for each of 2 to {_MOST_KNOTS} knots")
        if not all(map(math.isfinite, (*self.similarities, *self.ratios, *self.qualities, *self.failures))):
            raise InvalidInput("a parameter is not finite")
        if not _rises(self.similarities, strictly=True) or not _rises(self.qualities, strictly=True):
            raise InvalidInput("similarities, qualities: do not rise")
        if not _rises(self.ratios) or not _rises([-one for one in self.failures]):
            raise InvalidInput("ratios, failures: fall or rise where they must not")
        if not 0 < self.failures[-1] <= self.failures[0] <= 1:
            raise InvalidInput("failures: not above 0 and at most 1")
        if max(map(abs, self.ratios)) > _LARGEST:
            raise InvalidInput(f"ratios: beyond {_LARGEST:g}")
        if not 0 <= self.most <= _LARGEST:
            raise InvalidInput(f"most: not within 0..{_LARGEST:g}")
        if min(self.genuine, self.impostors) < 0:
            raise InvalidInput("genuine, impostors: less than none")

    def llr(self, similarity: float, quality: float) -> float:
        """Natural log of P(similarity | same) / P(similarity | another), at most `most`.

        Rises with similarity, never under the log of the failures. quality: 0..1, of the probe. Raises
        InvalidInput for a value that is not finite.
        """
        if not (math.isfinite(similarity) and math.isfinite(quality)):
            raise InvalidInput("a similarity or a quality is not finite")
        failed = _between(quality, self.qualities, self.failures)
        seen = _between(similarity, self.similarities, self.ratios)
        return min(self.most, math.log(failed + (1 - failed) * math.exp(seen)))

    def llrs(self, similarities: Values, qualities: Values) -> Values:
        """The same of many: [n] for similarities and qualities [n], all finite."""
        failed = np.interp(qualities, self.qualities, self.failures)
        seen = np.interp(similarities, self.similarities, self.ratios)
        return np.minimum(np.log(failed + (1 - failed) * np.exp(seen)), self.most)


def cllr(genuine: Values, impostors: Values) -> float:
    """C_llr of log ratios [n], in bits: 0 is perfect, 1 says nothing, more misleads.

    Source: Brümmer and du Preez, "Application-independent evaluation of speaker detection" (2006).
    """
    missed = np.logaddexp(0, -genuine).mean()
    alarmed = np.logaddexp(0, impostors).mean()
    return float((missed + alarmed) / 2 / math.log(2))


def _rises(values: Sequence[float], *, strictly: bool = False) -> bool:
    return all(one < other if strictly else one <= other for one, other in pairwise(values))


def _between(value: float, knots: Sequence[float], values: Sequence[float]) -> float:
    place = bisect_right(knots, value)
    if place in (0, len(knots)):
        return values[0] if place == 0 else values[-1]
    share = (value - knots[place - 1]) / (knots[place] - knots[place - 1])
    return values[place - 1] + share * (values[place] - values[place - 1])
