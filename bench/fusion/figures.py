"""What a policy is worth on some probes, with intervals by drawing identities. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Answers",
    "Bin",
    "Difference",
    "Figure",
    "Figures",
    "bins_of",
    "difference",
    "figures_of",
    "joined",
]

_BINS = 10
_SURE = 0.9

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answers:
    """First candidates of probes, by one policy."""

    owners: NDArray[np.int64]
    """[n]: whose probe it is; strangers count on from the performers."""
    is_stranger: NDArray[np.bool_]
    is_right: NDArray[np.bool_]
    """[n]: whether the first candidate is the owner; never for a stranger."""
    is_listed: NDArray[np.bool_]
    """[n]: whether one of the first five is."""
    scores: Floats
    """[n]: of the first candidate; for a policy with probabilities its probability."""
    weights: Floats
    """[n]: how much each probe counts."""


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
    """rank1, rank5 and fnir are of the performers' probes; the others of all.

    fnir_strict: at FPIR 0.3%. sure: of the answers with a score of 0.9 and more, the share that is right;
    alarms: of strangers' answers, the share with such a score.
    """

    rank1: Figure
    rank5: Figure
    fnir: Figure
    fnir_strict: Figure
    ece: Figure
    brier: Figure
    sure: Figure
    sure_share: float
    alarms: Figure
    probes: int
    strangers: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same score: mean score, share that is right, and how many."""

    score: float
    right: float
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One policy less another on the same probes: rank-1, and FNIR at FPIR 1%."""

    rank1: Figure
    fnir: Figure


def joined(parts: Sequence[Answers]) -> Answers:
    """Of several slices."""
    return Answers(
        *(np.concatenate([getattr(one, field.name) for one in parts]) for field in fields(Answers))
    )


def figures_of(answers: Answers, *, unknown: float, resamples: int, seed: int) -> Figures:
    """Measure. unknown: share, 0..1, that strangers' probes count for in what is of all."""
    draws = _drawn(answers.owners, resamples, seed)
    own, mixed = ~answers.is_stranger, _mixed(answers, unknown)
    is_sure = answers.scores >= _SURE

    def figure(of: Callable[[Floats], float]) -> Figure:
        return _figure(of, answers.weights, draws)

    return Figures(
        rank1=figure(lambda w: _share(answers.is_right, w * own)),
        rank5=figure(lambda w: _share(answers.is_listed, w * own)),
        fnir=figure(lambda w: _fnir(answers, w, 0.01)),
        fnir_strict=figure(lambda w: _fnir(answers, w, 0.003)),
        ece=figure(lambda w: _ece(answers, mixed * w)),
        brier=figure(lambda w: _share((answers.scores - answers.is_right) ** 2, mixed * w)),
        sure=figure(lambda w: _share(answers.is_right, mixed * w * is_sure)),
        sure_share=_share(is_sure, mixed * answers.weights),
        alarms=figure(lambda w: _share(is_sure, w * ~own)),
        probes=int(own.sum()),
        strangers=int(answers.is_stranger.sum()),
    )


def difference(one: Answers, other: Answers, *, resamples: int, seed: int) -> Difference:
    """One less the other, of answers to the same probes, drawn together."""
    draws, own = _drawn(one.owners, resamples, seed), ~one.is_stranger

    def figure(of: Callable[[Answers, Floats], float]) -> Figure:
        return _figure(lambda w: of(one, w) - of(other, w), one.weights, draws)

    return Difference(
        rank1=figure(lambda answers, w: _share(answers.is_right, w * own)),
        fnir=figure(lambda answers, w: _fnir(answers, w, 0.01)),
    )


def bins_of(answers: Answers, *, unknown: float) -> list[Bin]:
    """For a reliability plot: ten bins of equal width, those that are empty left out."""
    weights, places = _mixed(answers, unknown) * answers.weights, _places(answers.scores)
    return [
        Bin(
            _share(answers.scores, weights * inside),
            _share(answers.is_right, weights * inside),
            int(inside.sum()),
        )
        for number in range(_BINS)
        if (inside := places == number).any()
    ]


def _drawn(owners: NDArray[np.int64], resamples: int, seed: int) -> list[Floats]:
    """Weights [n] of probes, for each time that identities are drawn."""
    rng = np.random.default_rng(seed)
    names, owner = np.unique(owners, return_inverse=True)
    return [
        np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[owner].astype(float)
        for _ in range(resamples)
    ]


def _figure(of: Callable[[Floats], float], weights: Floats, draws: Sequence[Floats]) -> Figure:
    drawn = [of(weights * one) for one in draws]
    is_known = any(not math.isnan(one) for one in drawn)
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if is_known else (np.nan, np.nan)
    return Figure(of(weights), float(low), float(high))


def _share(values: NDArray[np.generic], weights: Floats) -> float:
    total = weights.sum()
    return float(values.astype(np.float64) @ weights / total) if total > 0 else float("nan")


def _fnir(answers: Answers, weights: Floats, fpir: float) -> float:
    """Share of performers' probes that are not first, or not above what `fpir` of the strangers reach."""
    strangers = answers.is_stranger
    order = np.argsort(-answers.scores[strangers], kind="stable")
    reached = np.cumsum(weights[strangers][order]) / max(weights[strangers].sum(), 1e-9)
    # Where no stranger is drawn, nobody reaches it.
    place = min(int(np.searchsorted(reached, fpir)), len(reached) - 1)
    limit = answers.scores[strangers][order][place] if strangers.any() else 0.0
    found = answers.is_right & (answers.scores > limit)
    return 1 - _share(found, weights * ~strangers)


def _mixed(answers: Answers, unknown: float) -> Floats:
    """Factors so that strangers have the share `unknown`."""
    factors = np.zeros(len(answers.owners))
    for chosen, share in ((answers.is_stranger, unknown), (~answers.is_stranger, 1 - unknown)):
        factors[chosen] = share / max(answers.weights[chosen].sum(), 1e-9)
    return factors


def _ece(answers: Answers, weights: Floats) -> float:
    """Expected calibration error over ten bins of equal width (Naeini et al. 2015)."""
    gaps = np.bincount(
        _places(answers.scores), weights * (answers.scores - answers.is_right), minlength=_BINS
    )
    return float(np.abs(gaps).sum() / weights.sum()) if weights.sum() > 0 else float("nan")


def _places(scores: Floats) -> NDArray[np.int64]:
    return np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)
