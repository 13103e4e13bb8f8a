"""Open-set identification figures from judged probes, with intervals over identities.

Definitions follow NIST IR 8271 (FRVT 1:N), with candidate lists of length 1 for FNIR:

- a *known* probe shows somebody of the gallery, an *unknown* one nobody of it;
- rank-k: share of known probes whose own performer is among the first k candidates, whatever the score;
- FPIR(t): share of unknown probes whose best score is at or above the threshold t;
- FNIR(t): share of known probes whose own performer is not first with a score at or above t;
- FNIR at FPIR x: t is the least threshold with FPIR(t) <= x.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Probe", "Interval", "Figures", "threshold_at", "MISSING_SCORE"]

MISSING_SCORE = -math.inf
"""Score of a probe without any candidate: under every threshold."""

_CONFIDENCE = 0.95
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Probe:
    """One judged picture."""

    identity: str
    """Who it shows, as the folders say."""
    is_known: bool
    """Whether the gallery has this identity."""
    rank: int | None
    """Place of the own performer among the candidates, from 1; None when absent. For known probes."""
    score: float
    """Score of the first candidate; MISSING_SCORE without one."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 95% interval, 0..1; all None when there is nothing to measure it on."""

    value: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.value is None or self.low is None or self.high is None:
            return "n/a"
        return f"{self.value:.2%} [{self.low:.2%}, {self.high:.2%}]"


_NOTHING = Interval(None, None, None)


def threshold_at(scores: _Floats, weights: _Floats, fpir: float) -> float:
    """The least threshold at which at most the share `fpir` of unknown probes scores at or above it.

    scores: best score of each unknown probe, any order; weights: how often each counts, >= 0. Without unknown
    probes every threshold will do, the least is -inf.
    """
    allowed = fpir * weights.sum() + 1e-9
    levels, level_of = np.unique(scores, return_inverse=True)
    at_level = np.bincount(level_of, weights=weights, minlength=len(levels))
    at_or_above = np.cumsum(at_level[::-1])[::-1]
    refused = levels[at_or_above > allowed]
    return float(np.nextafter(refused.max(), np.inf)) if refused.size else -math.inf


class Figures:
    """Figures of one set of probes.

    Intervals are percentiles of a bootstrap over identities, not probes: pictures of one person are alike.
    Where it cannot vary (a share of exactly 0 or 1), the exact binomial (Clopper-Pearson) bound for that many
    identities takes its place. The draws are seeded, so the same probes give the same numbers.
    """

    def __init__(self, probes: Sequence[Probe], *, draws: int = 1000, seed: int = 20240229) -> None:
        self._probes = list(probes)
        identities, self._identity = np.unique([p.identity for p in probes], return_inverse=True)
        self._is_known = np.array([p.is_known for p in probes], dtype=bool)
        self._rank = np.array([p.rank or np.inf for p in probes], dtype=np.float64)
        self._score = np.array([p.score for p in probes], dtype=np.float64)
        self._draws = _draws(len(identities), draws=draws, seed=seed)

    def __repr__(self) -> str:
        return f"Figures({len(self._probes)} probes of {self._draws.shape[1]} identities)"

    def rank_at_most(self, k: int) -> Interval:
        """Share of known probes whose own performer is among the first k."""
        return self.share(self._rank <= k, among=self._is_known)

    def fnir_at_fpir(self, fpir: float) -> Interval:
        """Share of known probes missed at the threshold of this FPIR; needs known and unknown probes."""
        unknown = ~self._is_known
        if not unknown.any() or not self._is_known.any():
            return _NOTHING

        def missed(weights: _Floats) -> float:
            threshold = threshold_at(self._score[unknown], weights[unknown], fpir)
            is_hit = (self._rank == 1) & (self._score >= threshold)
            return _mean(~is_hit, weights * self._is_known)

        return self._interval(missed, among=self._is_known)

    def threshold_at_fpir(self, fpir: float) -> float | None:
        """The threshold itself; None without unknown probes."""
        unknown = ~self._is_known
        if not unknown.any():
            return None
        return threshold_at(self._score[unknown], np.ones(int(unknown.sum())), fpir)

    def share(self, condition: NDArray[np.bool_], *, among: NDArray[np.bool_] | None = None) -> Interval:
        """Share of the probes `among` (default: all) that meet `condition`; both one bool a probe."""
        chosen = np.ones(len(self._probes), dtype=bool) if among is None else among
        if not chosen.any():
            return _NOTHING
        return self._interval(lambda weights: _mean(condition, weights * chosen), among=chosen)

    def _interval(self, figure: Callable[[_Floats], float], *, among: NDArray[np.bool_]) -> Interval:
        value = figure(np.ones(len(self._probes)))
        if value in (0.0, 1.0):
            return _exact(value, n=len(np.unique(self._identity[among])))
        drawn = np.array([figure(weights[self._identity]) for weights in self._draws])
        low, high = np.nanquantile(drawn, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
        return Interval(value, float(low), float(high))


def _draws(n: int, *, draws: int, seed: int) -> _Floats:
    """How often each of n identities is drawn, draws x n."""
    if n == 0:
        return np.zeros((0, 0))
    generator = np.random.default_rng(seed)
    return generator.multinomial(n, np.full(n, 1 / n), size=draws).astype(np.float64)


def _mean(condition: NDArray[np.bool_], weights: _Floats) -> float:
    total = weights.sum()
    # A draw can leave out everybody concerned; NaN leaves that draw out.
    return float((condition * weights).sum() / total) if total > 0 else math.nan


def _exact(value: float, *, n: int) -> Interval:
    """Clopper-Pearson for 0 or n of n, where it has a closed form."""
    bound = ((1 - _CONFIDENCE) / 2) ** (1 / n)
    return Interval(value, 0.0, 1 - bound) if value == 0.0 else Interval(value, bound, 1.0)
