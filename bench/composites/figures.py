"""What the answers are worth, kind by kind, with 95% intervals by drawing people. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.composites.asking import Asked, Setting
from bench.composites.judging import Fate, Judged, judged, named_twice
from bench.composites.probing import PAIRS, Kind
from bench.fusion.figures import Answers, Figure, difference, figures_of
from bench.regions.figures import Share, share_of

__all__ = ["InPairs", "OfKind", "OfSetting", "figures_by_kind", "pairs_of", "strangers_named"]

_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class OfSetting:
    """rank1, right, wrong: of performers; named: of strangers; ece and brier: of all, strangers for 30%."""

    rank1: Figure
    right: Share
    """Identified, and rightly."""
    wrong: Share
    """Identified as somebody else."""
    named: Share
    """Identified as anybody."""
    ece: Figure
    brier: Figure
    milliseconds: float
    """Median of a picture."""


@dataclass(frozen=True, slots=True)
class OfKind:
    """One kind of pictures."""

    performers: int
    strangers: int
    settings: Mapping[Setting, OfSetting]
    rank1_more: Figure
    """Rank-1 of BAYESIAN less that of face only, on the same pictures."""
    brier_less: Figure
    """Brier of BAYESIAN less that of face only, on the same pictures: below 0 it is better."""
    counted: Share
    """Of the tattoos that show, those that are found and count for their person."""
    fates: Mapping[Fate, Share]


@dataclass(frozen=True, slots=True)
class InPairs:
    """Pictures of one kind in which one performer is identified twice, by setting."""

    pictures: int
    twice: Mapping[Setting, int]


def figures_by_kind(asked: Sequence[Asked], *, unknown: float, seed: int) -> dict[str, OfKind]:
    """By kind; and all strangers together. unknown: share that strangers count for in ECE and Brier."""
    found: dict[str, OfKind] = {}
    for kind in Kind:
        of_kind = [one for one in asked if one.probe.kind is kind]
        if of_kind:
            found[kind] = _of_kind(of_kind, unknown, seed)
    return found


def strangers_named(asked: Sequence[Asked], *, seed: int) -> dict[Setting, Share]:
    """Strangers of all kinds who are identified as anybody."""
    return {
        setting: _share([one for one in _all(asked, setting) if one.is_stranger], "is_identified", seed)
        for setting in Setting
    }


def pairs_of(asked: Sequence[Asked]) -> dict[str, InPairs]:
    """By kind with two people."""
    found = {}
    for kind in PAIRS:
        of_kind = [one for one in asked if one.probe.kind is kind]
        twice = {setting: sum(named_twice(one.answers[setting]) for one in of_kind) for setting in Setting}
        found[str(kind)] = InPairs(len(of_kind), twice)
    return found


def _of_kind(asked: Sequence[Asked], unknown: float, seed: int) -> OfKind:
    people = {setting: _all(asked, setting) for setting in Setting}
    told = people[Setting.BAYESIAN]
    shown = [one for one in told if one.fate is not None]
    fates = {
        fate: share_of([(str(one.owner), one.fate is fate) for one in shown], seed=seed) for fate in Fate
    }
    return OfKind(
        performers=sum(not one.is_stranger for one in told),
        strangers=sum(one.is_stranger for one in told),
        settings={
            setting: _of_setting(of, [one.milliseconds[setting] for one in asked], unknown, seed)
            for setting, of in people.items()
        },
        rank1_more=_rank1_more(people, seed),
        brier_less=_brier_less(people[Setting.BAYESIAN], people[Setting.FACE_ONLY], unknown, seed),
        counted=fates[Fate.OWN],
        fates=fates,
    )


def _of_setting(
    people: Sequence[Judged], milliseconds: Sequence[float], unknown: float, seed: int
) -> OfSetting:
    figures = figures_of(_answers(people), unknown=unknown, resamples=_RESAMPLES, seed=seed)
    performers = [one for one in people if not one.is_stranger]
    return OfSetting(
        rank1=figures.rank1,
        right=share_of(
            [(str(one.owner), one.is_identified and one.is_right) for one in performers], seed=seed
        ),
        wrong=_share(performers, "is_wrongly_named", seed),
        named=_share([one for one in people if one.is_stranger], "is_identified", seed),
        ece=figures.ece,
        brier=figures.brier,
        milliseconds=statistics.median(milliseconds),
    )


def _rank1_more(people: Mapping[Setting, Sequence[Judged]], seed: int) -> Figure:
    ours, theirs = (_answers(people[setting]) for setting in (Setting.BAYESIAN, Setting.FACE_ONLY))
    return difference(ours, theirs, resamples=_RESAMPLES, seed=seed).rank1


def _brier_less(ours: Sequence[Judged], theirs: Sequence[Judged], unknown: float, seed: int) -> Figure:
    """Paired, people drawn together; strangers have the share `unknown`."""
    owners, names = np.unique([one.owner for one in ours], return_inverse=True)
    is_stranger = np.array([one.is_stranger for one in ours])
    gaps = np.array([_error(one) - _error(other) for one, other in zip(ours, theirs, strict=True)])

    def less(weights: NDArray[np.float64]) -> float:
        groups = ((is_stranger, unknown), (~is_stranger, 1 - unknown))
        parts = [(weights[of].sum(), weights[of] @ gaps[of], share) for of, share in groups]
        told = sum(share for total, _, share in parts if total > 0)
        return float(sum(share * gap / total for total, gap, share in parts if total > 0) / max(told, 1e-9))

    rng, count = np.random.default_rng(seed), len(owners)
    drawn = [
        less(np.bincount(rng.integers(count, size=count), minlength=count)[names].astype(float))
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Figure(less(np.ones(len(ours))), float(low), float(high))


def _error(one: Judged) -> float:
    return (one.score - one.is_right) ** 2


def _all(asked: Sequence[Asked], setting: Setting) -> list[Judged]:
    return [one for each in asked for one in judged(each, setting)]


def _share(people: Sequence[Judged], field: str, seed: int) -> Share:
    return share_of([(str(one.owner), bool(getattr(one, field))) for one in people], seed=seed)


def _answers(people: Sequence[Judged]) -> Answers:
    return Answers(
        owners=np.array([one.owner for one in people]),
        is_stranger=np.array([one.is_stranger for one in people]),
        is_right=np.array([one.is_right for one in people]),
        is_listed=np.array([one.is_listed for one in people]),
        scores=np.array([one.score for one in people]),
        weights=np.ones(len(people)),
    )
