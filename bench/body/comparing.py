"""What the body's log ratio is worth: people against the enrolled views of everybody. Pure.

As `bench/fusion/bodies.py` has it: a person's first three good views are enrolled, the others are probes.
Intervals are of people drawn again, because pictures of one person are alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.body.views import MeasuredView
from services.body.likelihood import log_likelihood_ratios
from services.body.measurement import combine, stack

__all__ = ["ENROLLED", "Compared", "Worth", "compare", "is_full_frontal", "is_good", "worth_of"]

ENROLLED = 3
_LEAST_QUALITY = 0.5
_FRONTAL = 0.9
_ROUNDS = 400

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Probes against people of whom three views are enrolled."""

    owners: NDArray[np.int64]
    """(probes,) whose each is."""
    llrs: _Floats
    """(probes, people) natural log ratios."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Figures with their 95% intervals: value, low, high."""

    people: int
    probes: int
    equal_error_rate: tuple[float, float, float]
    cllr: tuple[float, float, float]
    """Bits: 0 is perfect, 1 says nothing, more misleads."""
    least_cllr: tuple[float, float, float]
    """The same after the best scale that a log ratio could be given: what the ratio could say at all."""


def is_good(view: MeasuredView) -> bool:
    """Whether the service would enrol it."""
    return view.quality >= _LEAST_QUALITY and bool(view.measurement.is_measured.any())


def is_full_frontal(view: MeasuredView) -> bool:
    """Whether it is good, turned by at most 26 degrees, and shows all six ratios."""
    return is_good(view) and view.view.across >= _FRONTAL and bool(view.measurement.is_measured.all())


def compare(views: Sequence[MeasuredView], is_enrolled: Callable[[MeasuredView], bool]) -> Compared:
    """Everybody with three views that `is_enrolled` takes and one more that is good."""
    people: dict[str, list[MeasuredView]] = defaultdict(list)
    for view in views:
        people[view.person].append(view)
    parted = [_parted(of, is_enrolled) for of in people.values()]
    whole = [(enrolled, probes) for enrolled, probes in parted if len(enrolled) == ENROLLED and probes]
    gallery = stack([combine([one.measurement for one in enrolled]) for enrolled, _ in whole])
    rows = [(owner, one.measurement) for owner, (_, probes) in enumerate(whole) for one in probes]
    llrs = [log_likelihood_ratios(probe, gallery) for _, probe in rows]
    return Compared(
        np.array([owner for owner, _ in rows], np.int64), np.reshape(llrs, (len(rows), len(whole)))
    )


def worth_of(compared: Compared, *, seed: int) -> Worth:
    """The equal error rate and C_llr of own people against others."""
    rng = np.random.default_rng(seed)
    people = compared.llrs.shape[1]
    rounds = [_figures(compared, count) for count in _counts(rng, people)]
    figures = {name: _interval([one[name] for one in rounds]) for name in rounds[0]}
    return Worth(people, len(compared.owners), **figures)


def _counts(rng: np.random.Generator, people: int) -> Iterator[_Floats]:
    """How often each person counts: once first, then as drawn with replacement."""
    yield np.ones(people)
    for _ in range(_ROUNDS):
        yield np.bincount(rng.integers(people, size=people), minlength=people).astype(np.float64)


def _parted(
    views: Sequence[MeasuredView], is_enrolled: Callable[[MeasuredView], bool]
) -> tuple[list[MeasuredView], list[MeasuredView]]:
    """The views that are enrolled, and the good ones that are left."""
    enrolled = [view for view in views if is_enrolled(view)][:ENROLLED]
    return enrolled, [view for view in views if is_good(view) and not any(view is one for one in enrolled)]


def _figures(compared: Compared, count: _Floats) -> Mapping[str, float]:
    """Each person counting as often as said; a pair as often as both."""
    own = np.zeros(compared.llrs.shape, bool)
    own[np.arange(len(compared.owners)), compared.owners] = True
    weights = count[compared.owners][:, None] * np.where(own, 1.0, count[None, :])
    sides = [(compared.llrs[side], weights[side] / weights[side].sum()) for side in (own, ~own)]
    scales = np.linspace(0, 2, 41)
    return {
        "equal_error_rate": _equal_error_rate(*sides),
        "cllr": _cllr(*sides, scale=1.0),
        "least_cllr": min(_cllr(*sides, scale=scale) for scale in scales),
    }


_Side = tuple[_Floats, _Floats]


def _cllr(genuine: _Side, impostor: _Side, *, scale: float) -> float:
    missed = np.logaddexp(0, -scale * genuine[0]) @ genuine[1]
    alarmed = np.logaddexp(0, scale * impostor[0]) @ impostor[1]
    return float((missed + alarmed) / 2 / np.log(2))


def _equal_error_rate(genuine: _Side, impostor: _Side) -> float:
    values = np.concatenate([genuine[0], impostor[0]])
    order = np.argsort(values, kind="stable")
    missed = np.concatenate([genuine[1], np.zeros(len(impostor[0]))])[order].cumsum()
    alarmed = 1 - np.concatenate([np.zeros(len(genuine[0])), impostor[1]])[order].cumsum()
    return float(np.maximum(missed, alarmed).min())


def _interval(values: Sequence[float]) -> tuple[float, float, float]:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return values[0], float(low), float(high)
