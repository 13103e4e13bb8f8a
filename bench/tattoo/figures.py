"""Shares and ratios with their 95% intervals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

__all__ = ["Share", "share", "ErrorRatio", "error_ratio"]

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, and between what the true share lies."""

    count: int
    of: int
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        interval = f"{100 * self.low:.1f} to {100 * self.high:.1f}"
        return f"{100 * self.value:.1f}% ({self.count} of {self.of}; {interval})"


def share(count: int, of: int) -> Share:
    """With Wilson's interval (1927)."""
    if of == 0:
        return Share(0, 0, float("nan"), 0.0, 1.0)
    value = count / of
    middle = (value + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    half = _Z * sqrt(value * (1 - value) / of + _Z**2 / (4 * of**2)) / (1 + _Z**2 / of)
    return Share(count, of, value, max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True, slots=True)
class ErrorRatio:
    """Errors of one method over those of another on the same probes."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def error_ratio(
    is_wrong: NDArray[np.bool_],
    baseline: NDArray[np.bool_],
    groups: Sequence[str],
    *,
    resamples: int,
    seed: int,
) -> ErrorRatio:
    """The ratio with a paired bootstrap interval; whole `groups` (subjects) are drawn, not probes.

    A draw in which the baseline makes no error counts as 1 error of it, so that there is a ratio.
    """
    names, owner = np.unique(np.asarray(groups), return_inverse=True)
    ours = np.bincount(owner, is_wrong.astype(float), minlength=len(names))
    theirs = np.bincount(owner, baseline.astype(float), minlength=len(names))
    drawn = np.random.default_rng(seed).integers(len(names), size=(resamples, len(names)))
    ratios = ours[drawn].sum(axis=1) / np.maximum(theirs[drawn].sum(axis=1), 1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    return ErrorRatio(float(ours.sum() / max(theirs.sum(), 1)), float(low), float(high))
