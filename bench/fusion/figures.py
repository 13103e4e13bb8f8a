"""What a policy is worth on some probes, with intervals by drawing identities. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Answers", "Figure", "Figures", "figures_of"]

_BINS = 10
_FPIR = 0.01


@dataclass(frozen=True, slots=True)
class Answers:
    """First candidates of probes, by one policy."""

    owners: NDArray[np.int64]
    """[n]: whose probe it is; strangers count on from the performers."""
    is_stranger: NDArray[np.bool_]
    is_right: NDArray[np.bool_]
    """[n]: whether the first candidate is the owner; never for a stranger."""
    scores: NDArray[np.float64]
    """[n]: of the first candidate; for a policy with probabilities its probability."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Figures:
    """rank1 and fnir of the performers' probes, the latter at FPIR 1%; ece and brier of all."""

    rank1: Figure
    fnir: Figure
    ece: Figure
    brier: Figure
    probes: int
    strangers: int


def figures_of(answers: Answers, *, unknown: float, resamples: int, seed: int) -> Figures:
    """Measure. unknown: share, 0..1, that strangers' probes count for in ece and brier."""
    rng = np.random.default_rng(seed)
    names, owner = np.unique(answers.owners, return_inverse=True)
    draws = [
        np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)) for _ in range(resamples)
    ]
    once = np.ones(len(names))

    def figure(of: Callable[[NDArray[np.float64]], float]) -> Figure:
        drawn = [of(weights[owner].astype(np.float64)) for weights in draws]
        low, high = np.nanquantile(drawn, [0.025, 0.975]) if drawn else (np.nan, np.nan)
        return Figure(of(once[owner]), float(low), float(high))

    return Figures(
        rank1=figure(lambda w: _share(answers.is_right, w * ~answers.is_stranger)),
        fnir=figure(lambda w: _fnir(answers, w)),
        ece=figure(lambda w: _ece(answers, _mixed(answers, w, unknown))),
        brier=figure(lambda w: _share((answers.scores - answers.is_right) ** 2, _mixed(answers, w, unknown))),
        probes=int((~answers.is_stranger).sum()),
        strangers=int(answers.is_stranger.sum()),
    )


def _share(values: NDArray[np.generic], weights: NDArray[np.float64]) -> float:
    return (
        float(np.average(values.astype(np.float64), weights=weights)) if weights.sum() > 0 else float("nan")
    )


def _fnir(answers: Answers, weights: NDArray[np.float64]) -> float:
    """Share of performers' probes that are not first, or not above what 1% of the strangers reach."""
    strangers = answers.is_stranger
    order = np.argsort(-answers.scores[strangers], kind="stable")
    reached = np.cumsum(weights[strangers][order]) / max(weights[strangers].sum(), 1e-9)
    limit = answers.scores[strangers][order][np.searchsorted(reached, _FPIR)] if strangers.any() else 0.0
    found = answers.is_right & (answers.scores > limit)
    return 1 - _share(found, weights * ~strangers)


def _mixed(answers: Answers, weights: NDArray[np.float64], unknown: float) -> NDArray[np.float64]:
    """So that strangers have the share `unknown`."""
    mixed = weights.astype(np.float64).copy()
    for chosen, share in ((answers.is_stranger, unknown), (~answers.is_stranger, 1 - unknown)):
        mixed[chosen] *= share / max(mixed[chosen].sum(), 1e-9)
    return mixed


def _ece(answers: Answers, weights: NDArray[np.float64]) -> float:
    """Expected calibration error over ten bins of equal width (Naeini et al. 2015)."""
    bins = np.minimum((answers.scores * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights * (answers.scores - answers.is_right), minlength=_BINS)
    return float(np.abs(gaps).sum() / weights.sum())
