"""Which calibration is to be used: the new one, this library's from before, or what ships. Pure.

They are judged on performers that the new one does not know. The one from before may know them, and so has a
little the better of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

import numpy as np

from chassis.signal.calibration import Calibration
from chassis.signal.calibration_fitting import Pairs, TooFewPairs, fit_calibration
from chassis.signal.calibration_parameters import to_parameters
from gateway.calibration.bootstrap import Interval, Values, draws, interval_of, sums_by
from gateway.calibration.pairs import LEAST_GENUINE, Kind, LabelledPairs, halves
from gateway.calibration.performers import Numbers
from gateway.calibration.tempering import Tempered, fit_tempered

__all__ = [
    "LEAST_SHARE",
    "Chosen",
    "Earlier",
    "HeldOut",
    "HeldOutEarlier",
    "Judged",
    "Ratios",
    "fit_and_judge",
    "temper_and_judge",
]

LEAST_SHARE = 0.9
"""How often one must be better to be shown to be, when performers are drawn anew, 0..1."""


class Ratios(Protocol):
    """What makes log-likelihood ratios of similarities."""

    def llrs(self, similarities: Values, qualities: Values) -> Values:
        """Natural logs, (n,)."""


class Chosen(Enum):
    """What is to be used."""

    NEW = auto()
    EARLIER = auto()
    SHIPPED = auto()


@dataclass(frozen=True, slots=True)
class Earlier:
    """This library's calibration that was used until now."""

    calibration: Calibration
    genuine_pairs: int
    """That it was fitted on."""


@dataclass(frozen=True, slots=True)
class HeldOutEarlier:
    """What this library's calibration from before is worth on the same performers."""

    cllr: float
    """In bits."""
    is_better: bool
    """Whether it is shown to be better than the new one."""
    is_worse: bool
    """Whether it is shown to be worse than the new one."""
    is_worse_than_shipped: bool
    """The same of what ships."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """C_llr in bits, 0 is perfect, 1 says nothing, of performers that were not fitted on."""

    performers: int
    own: float
    shipped: float
    """1 where nothing ships; of a body that of its ratios unweighed."""
    difference: Interval
    """Own less shipped."""
    share_better: float
    """How often own is better when performers are drawn anew, 0..1."""
    earlier: HeldOutEarlier | None = None
    """None: no calibration of this library was used until now."""

    @property
    def is_better(self) -> bool:
        """Whether own is shown to be better than what ships."""
        return self.own < self.shipped and self.share_better >= LEAST_SHARE


@dataclass(frozen=True, slots=True)
class Judged:
    """A calibration of all pairs, and what the one of half of the performers is worth on the others."""

    own: Ratios
    parameters: Mapping[str, float]
    """Of `own`; none for a body, of which a weight is fitted."""
    held_out: HeldOut
    chosen: Chosen
    weight: float = 1.0
    """Of a body."""


def fit_and_judge(
    pairs: LabelledPairs, shipped: Calibration | None, earlier: Earlier | None = None, *, seed: int
) -> Judged:
    """Fit on half of the performers, judge on the others, and fit on all. Takes seconds: use a thread.

    shipped: None where nothing ships; earlier: None where no calibration of this library is used. Raises
    TooFewPairs, with how many there are and how many are needed.
    """
    _check_enough(pairs)
    fitted_on, judged_on = (pairs.of(half) for half in halves(pairs, seed=seed))
    half = fit_calibration(fitted_on.genuine.pairs, fitted_on.impostors.pairs)
    held_out = _held_out(judged_on, half, shipped, earlier, seed=seed)
    has_fewer = earlier is not None and len(pairs.genuine) < earlier.genuine_pairs
    own = fit_calibration(pairs.genuine.pairs, pairs.impostors.pairs)
    return Judged(
        own=own,
        parameters=to_parameters(own),
        held_out=held_out,
        chosen=_chosen(held_out, has_fewer=has_fewer),
    )


def temper_and_judge(pairs: LabelledPairs, *, seed: int) -> Judged:
    """The same of a body, whose similarities are log ratios: what is fitted is what they weigh.

    Judged beside the ratios as they are. Whether the weight is used is for a test beside faces to decide.
    """
    _check_enough(pairs)
    fitted_on, judged_on = (pairs.of(half) for half in halves(pairs, seed=seed))
    half = fit_tempered(fitted_on.genuine.pairs, fitted_on.impostors.pairs)
    own = fit_tempered(pairs.genuine.pairs, pairs.impostors.pairs)
    held_out = _held_out(judged_on, half, Tempered(1.0), None, seed=seed)
    return Judged(own, {}, held_out, Chosen.NEW, own.weight)


def _check_enough(pairs: LabelledPairs) -> None:
    if len(pairs.genuine) < LEAST_GENUINE:
        raise TooFewPairs(
            f"{len(pairs.genuine)} genuine pairs of {pairs.performers} performers are too few, "
            f"{LEAST_GENUINE} are needed: images of one performer from two shoots, at most four a performer"
        )


def _chosen(held_out: HeldOut, *, has_fewer: bool) -> Chosen:
    """has_fewer: whether the new one is of fewer pairs than the earlier one, which then is believed more."""
    earlier = held_out.earlier
    if earlier is None or earlier.is_worse_than_shipped:
        return Chosen.NEW if held_out.is_better else Chosen.SHIPPED
    replaces = earlier.is_worse if has_fewer else not earlier.is_better
    return Chosen.NEW if held_out.is_better and replaces else Chosen.EARLIER


def _held_out(
    pairs: LabelledPairs,
    own: Ratios,
    shipped: Ratios | None,
    earlier: Earlier | None,
    *,
    seed: int,
) -> HeldOut:
    met = np.unique(np.concatenate([pairs.genuine.probes, pairs.impostors.probes]))
    compared = [own, shipped, *([earlier.calibration] if earlier is not None else [])]
    ours, theirs, *used = _drawn([_Costs.of(pairs, one, met) for one in compared], seed=seed)
    before = None
    for one in used:
        before = HeldOutEarlier(
            one.cllr, one.is_better_than(ours), ours.is_better_than(one), theirs.is_better_than(one)
        )
    return HeldOut(
        performers=len(met),
        own=ours.cllr,
        shipped=theirs.cllr,
        difference=interval_of(ours.cllr - theirs.cllr, ours.drawn - theirs.drawn),
        share_better=ours.share_better_than(theirs),
        earlier=before,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """C_llr of one calibration, in bits: as measured, and in each draw of performers."""

    cllr: float
    drawn: Values

    def share_better_than(self, other: _Drawn) -> float:
        """How often it is lower, 0..1."""
        return float((self.drawn < other.drawn).mean())

    def is_better_than(self, other: _Drawn) -> bool:
        """Whether that is shown."""
        return self.cllr < other.cllr and self.share_better_than(other) >= LEAST_SHARE


@dataclass(frozen=True, slots=True, eq=False)
class _Costs:
    """By the probe's performer: summed costs in bits and numbers of genuine and impostor pairs, (n,) each."""

    genuine: Values
    genuine_pairs: Values
    impostors: Values
    impostor_pairs: Values

    @classmethod
    def of(cls, pairs: LabelledPairs, calibration: Ratios | None, met: Numbers) -> _Costs:
        """met: numbers of all performers with a probe, rising."""

        def summed(kind: Kind, sign: float) -> tuple[Values, Values]:
            costs = np.logaddexp(0, sign * _ratios(calibration, kind.pairs)) / math.log(2)
            return sums_by(np.searchsorted(met, kind.probes), costs, len(met))

        return cls(*summed(pairs.genuine, -1.0), *summed(pairs.impostors, 1.0))

    def cllr(self) -> float:
        return float(self.drawn(np.ones((1, len(self.genuine))))[0])

    def drawn(self, weights: Values) -> Values:
        """C_llr with each performer counted so often: weights (m, n), the answer (m,)."""
        missed = weights @ self.genuine / np.maximum(weights @ self.genuine_pairs, 1)
        alarmed = weights @ self.impostors / np.maximum(weights @ self.impostor_pairs, 1)
        halved: Values = (missed + alarmed) / 2
        return halved


def _drawn(costs: Sequence[_Costs], *, seed: int) -> list[_Drawn]:
    """Each one's C_llr, over the same draws."""
    drawn = [[one.drawn(weights) for one in costs] for weights in draws(len(costs[0].genuine), seed=seed)]
    return [
        _Drawn(one.cllr(), np.concatenate(portions))
        for one, portions in zip(costs, zip(*drawn, strict=True), strict=True)
    ]


def _ratios(calibration: Ratios | None, pairs: Pairs) -> Values:
    """Natural logs, (n,); 0 without a calibration."""
    if calibration is None:
        return np.zeros(len(pairs))
    return calibration.llrs(pairs.similarities, pairs.qualities)
