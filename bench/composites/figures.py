"""What the answers are worth, kind by kind, with 95% intervals by drawing people. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.composites.asking import Asked, Setting
from bench.composites.judging import Fate, Judged, judged, named_twice
from bench.composites.probing import PAIRS, Kind
from bench.fusion.figures import Answers, Figure, figures_of
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
