"""Whether a calibration of this library is better than what ships, on performers it does not know. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chassis.signal.calibration import Calibration
from chassis.signal.calibration_fitting import Pairs, TooFewPairs, fit_calibration
from gateway.calibration.bootstrap import Interval, Values, draws, interval_of, sums_by
from gateway.calibration.pairs import LEAST_GENUINE, Kind, LabelledPairs, halves

__all__ = ["LEAST_SHARE", "HeldOut", "Judged", "fit_and_judge"]

LEAST_SHARE = 0.9
"""How often the new one must be better when performers are drawn anew, 0..1."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """C_llr in bits, 0 is perfect, 1 says nothing, of performers that were not fitted on."""

    performers: int
    own: float
    shipped: float
    """1 where nothing ships."""
    difference: Interval
    """Own less shipped."""
    share_better: float
    """How often own is better when performers are drawn anew, 0..1."""

    @property
    def is_better(self) -> bool:
        return self.own < self.shipped and self.share_better >= LEAST_SHARE


@dataclass(frozen=True, slots=True)
class Judged:
    """A calibration of all pairs, and what the one of half of the performers is worth on the others."""

    own: Calibration
    held_out: HeldOut


def fit_and_judge(pairs: LabelledPairs, shipped: Calibration | None, *, seed: int) -> Judged:
    """Fit on half of the performers, judge on the others, and fit on all. Takes seconds: use a thread.

    Raises TooFewPairs, with how many there are and how many are needed.
    """
    if len(pairs.genuine) < LEAST_GENUINE:
        raise TooFewPairs(
            f"{len(pairs.genuine)} genuine pairs of {pairs.performers} performers are too few, "
            f"{LEAST_GENUINE} are needed: images of one performer from two shoots, at most four a performer"
        )
    fitted_on, judged_on = (pairs.of(half) for half in halves(pairs, seed=seed))
    half = fit_calibration(fitted_on.genuine.pairs, fitted_on.impostors.pairs)
    return Judged(
        own=fit_calibration(pairs.genuine.pairs, pairs.impostors.pairs),
        held_out=_held_out(judged_on, half, shipped, seed=seed),
    )


def _held_out(pairs: LabelledPairs, own: Calibration, shipped: Calibration | None, *, seed: int) -> HeldOut:
    names = sorted({*pairs.genuine.probes, *pairs.impostors.probes})
    weights = draws(len(names), seed=seed)
    costs = [_Costs.of(pairs, one, names) for one in (own, shipped)]
    (ours, ours_drawn), (theirs, theirs_drawn) = ((one.cllr(), one.drawn(weights)) for one in costs)
    difference = ours_drawn - theirs_drawn
    return HeldOut(
        performers=len(names),
        own=ours,
        shipped=theirs,
        difference=interval_of(ours - theirs, difference),
        share_better=float((difference < 0).mean()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Costs:
    """By the probe's performer: summed costs in bits and numbers of genuine and impostor pairs, (n,) each."""

    genuine: Values
    genuine_pairs: Values
    impostors: Values
    impostor_pairs: Values

    @classmethod
    def of(cls, pairs: LabelledPairs, calibration: Calibration | None, names: Sequence[str]) -> _Costs:
        def summed(kind: Kind, sign: float) -> tuple[Values, Values]:
            costs = np.logaddexp(0, sign * _ratios(calibration, kind.pairs)) / math.log(2)
            return sums_by(kind.probes, costs, names)

        return cls(*summed(pairs.genuine, -1.0), *summed(pairs.impostors, 1.0))

    def cllr(self) -> float:
        return float(self.drawn(np.ones((1, len(self.genuine))))[0])

    def drawn(self, weights: Values) -> Values:
        """C_llr with each performer counted so often: weights (m, n), the answer (m,)."""
        missed = weights @ self.genuine / np.maximum(weights @ self.genuine_pairs, 1)
        alarmed = weights @ self.impostors / np.maximum(weights @ self.impostor_pairs, 1)
        halved: Values = (missed + alarmed) / 2
        return halved


def _ratios(calibration: Calibration | None, pairs: Pairs) -> Values:
    """Natural logs, (n,); 0 without a calibration."""
    if calibration is None:
        return np.zeros(len(pairs))
    return calibration.llrs(pairs.similarities, pairs.qualities)
