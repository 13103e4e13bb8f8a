"""How much one signal's log ratios count, for all candidates of one person. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.fusion.assumed import LEAST_FULL_VIEWS, MOST_LLR, UNCALIBRATED
from gateway.observations import Signal
from gateway.signals import SignalScore

__all__ = ["Counted", "shares_of"]

_UNSCORED = SignalScore(0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Of each candidate [candidates]."""

    llrs: NDArray[np.float64]
    """Within MOST_LLR in either direction; NaN where there is none, or it is not finite."""
    factors: NDArray[np.float64]
    """What the log ratio is multiplied by, 0..1; 0: it is told and not counted."""
    is_own: NDArray[np.bool_]
    """Whether it is calibrated on this library."""

    @classmethod
    def of(cls, signal: Signal, candidates: Sequence[str], scores: Mapping[str, SignalScore]) -> Counted:
        """The factor is the weight of the calibration, times UNCALIBRATED where that is not of this library.

        A body without one of this library counts only where the candidate has LEAST_FULL_VIEWS.
        """
        found = [scores.get(one, _UNSCORED) for one in candidates]
        llrs = np.array([one.llr for one in found], np.float64)
        factors = shares_of([one.trust.weight for one in found])
        is_own = np.array([one.trust.is_of_this_library for one in found], bool)
        factors = np.where(is_own, factors, factors * UNCALIBRATED)
        if signal is Signal.BODY:
            is_enough = np.array([one.full_views for one in found]) >= LEAST_FULL_VIEWS
            factors = np.where(is_own | is_enough, factors, 0.0)
        return cls(np.where(np.isfinite(llrs), np.clip(llrs, -MOST_LLR, MOST_LLR), np.nan), factors, is_own)

    @property
    def ratios(self) -> NDArray[np.float64]:
        """Log ratios as they count; neutral, 0, where there is none."""
        return self.factors * np.nan_to_num(self.llrs)

    @property
    def is_told(self) -> NDArray[np.bool_]:
        """Whether there is a ratio."""
        return np.isfinite(self.llrs)


def shares_of(weights: Sequence[float]) -> NDArray[np.float64]:
    """Weights of calibrations within 0..1; 0 for one that is no number."""
    told = np.array(weights, np.float64)
    return np.where(np.isfinite(told), np.clip(told, 0.0, 1.0), 0.0)
