"""Closed-set and open-set identification, and the intervals of their figures. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Figure", "Trial", "Figures", "measure"]

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A share 0..1 with its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One draw of gallery photographs, compared with everything.

    Missed faces have the score minus infinity with everybody.
    """

    probes: Scores
    """(n, g): each probe with each gallery photograph."""
    mates: NDArray[np.intp]
    """(n,): the column of the probe's own identity; also the number of the identity."""
    probes_with_strangers: Scores
    """(n, s): each probe with each distractor, when those are enrolled too."""
    unknowns: Scores
    """(s, g): each distractor as a probe."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an embedder can do."""

    rank1: Figure
    """Share of probes whose best gallery photograph is of the same person."""
    rank1_with_distractors: Figure
    """The same with the distractors in the gallery."""
    fnir_at_fpir_1: Figure
    """Share of probes not identified when 1% of unknown probes are."""
    fnir_at_fpir_10: Figure
    """The same at 10%."""


def measure(trials: Sequence[Trial], *, resamples: int, seed: int) -> Figures:
    """Figures over all trials; intervals by bootstrap: identities and unknown people are resampled.

    A missed face is a miss; an unknown probe whose face is missed raises no alarm.
    """
    rng = np.random.default_rng(seed)
    parts = [_Part.of(trial) for trial in trials]
    identities = 1 + max(int(trial.mates.max()) for trial in trials)
    unknowns = len(trials[0].unknowns)
    draws = [
        (
            rng.multinomial(identities, np.full(identities, 1 / identities)),
            rng.integers(0, unknowns, unknowns),
        )
        for _ in range(resamples)
    ]
    once = (np.ones(identities, dtype=np.int64), np.arange(unknowns))

    def figure(of: Callable[[_Part, NDArray[np.int64], NDArray[np.int64]], float]) -> Figure:
        value = _mean([of(part, *once) for part in parts])
        resampled = [_mean([of(part, *draw) for part in parts]) for draw in draws]
        low, high = np.percentile(resampled, [2.5, 97.5]) if resampled else (np.nan, np.nan)
        return Figure(value, float(low), float(high))

    return Figures(
        rank1=figure(lambda part, weights, _: part.share(part.is_hit, weights)),
        rank1_with_distractors=figure(lambda part, weights, _: part.share(part.is_hit_among_all, weights)),
        fnir_at_fpir_1=figure(lambda part, weights, chosen: part.fnir(0.01, weights, chosen)),
        fnir_at_fpir_10=figure(lambda part, weights, chosen: part.fnir(0.10, weights, chosen)),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One trial reduced to what the figures need."""

    mates: NDArray[np.intp]
    is_hit: NDArray[np.bool_]
    is_hit_among_all: NDArray[np.bool_]
    best: Scores
    unknown_best: Scores

    @classmethod
    def of(cls, trial: Trial) -> _Part:
        best = trial.probes.max(axis=1)
        is_hit = (trial.probes.argmax(axis=1) == trial.mates) & np.isfinite(best)
        is_hit_among_all = is_hit & (best > trial.probes_with_strangers.max(axis=1))
        return cls(trial.mates, is_hit, is_hit_among_all, best, trial.unknowns.max(axis=1))

    def share(self, hits: NDArray[np.bool_], weights: NDArray[np.int64]) -> float:
        return float(np.average(hits, weights=weights[self.mates]))

    def fnir(self, fpir: float, weights: NDArray[np.int64], chosen: NDArray[np.int64]) -> float:
        threshold = np.quantile(self.unknown_best[chosen], 1 - fpir, method="higher")
        return 1 - self.share(self.is_hit & (self.best > threshold), weights)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
