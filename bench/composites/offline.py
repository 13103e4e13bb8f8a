"""Whether bench/fusion and the product agree: its policies on the evidence that Identify told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.composites.asking import Asked, Setting
from bench.fusion.policies import SHIPPED, SHIPPED_FACE, WEIGHTED, Answer, Policies
from bench.fusion.virtual import Probe
from client.values import Person, Signal

__all__ = ["Agreement", "agreement", "agreement_of"]

_POLICIES = {Setting.FACE_ONLY: SHIPPED_FACE, Setting.WEIGHTED: WEIGHTED, Setting.BAYESIAN: SHIPPED}


@dataclass(frozen=True, slots=True)
class Agreement:
    """Answers about people, and those of bench/fusion's policy."""

    people: int
    same_first: float
    """Share, 0..1, with the same first candidate."""
    mean_difference: float
    """Of the first candidate's scores, 0..1."""
    most_difference: float


def agreement(asked: Sequence[Asked], policies: Policies) -> Mapping[Setting, Agreement]:
    """Of everybody in the pictures with candidates; bench/fusion has one tattoo of a person, the best one."""
    return {setting: agreement_of(_pairs(asked, setting, policies)) for setting in Setting}


def agreement_of(pairs: Iterable[tuple[str, float, Answer]]) -> Agreement:
    """pairs: first candidate and score as answered, and what a policy of bench/fusion answers."""
    told = [(first == answer.candidates[0], abs(score - answer.score)) for first, score, answer in pairs]
    if not told:
        return Agreement(0, np.nan, np.nan, np.nan)
    is_same, differences = zip(*told, strict=True)
    return Agreement(len(told), float(np.mean(is_same)), float(np.mean(differences)), max(differences))


def _pairs(
    asked: Sequence[Asked], setting: Setting, policies: Policies
) -> Iterator[tuple[str, float, Answer]]:
    policy = policies.all()[_POLICIES[setting]]
    for one in asked:
        people = [person for person in one.answers[setting].people if person.candidates]
        for person, answer in zip(people, policy([_as_probe(person) for person in people]), strict=True):
            yield person.candidates[0].performer_id, min(1.0, person.candidates[0].score), answer


def _as_probe(person: Person) -> Probe:
    face, tattoo = _told(person, Signal.FACE), _told(person, Signal.TATTOO)
    return Probe(
        owner=-1,
        is_stranger=False,
        face=face,
        face_quality=_quality(person, Signal.FACE),
        tattoo=tattoo,
        tattoo_quality=_quality(person, Signal.TATTOO),
        body={},
        wearers=frozenset(tattoo),
        has_tattoo=bool(tattoo),
        proposed=[one.performer_id for one in person.candidates],
    )


def _told(person: Person, signal: Signal) -> dict[str, float]:
    """Similarities by candidate."""
    return {
        candidate.performer_id: one.similarity
        for candidate in person.candidates
        for one in candidate.evidence
        if one.signal is signal and one.llr is not None
    }


def _quality(person: Person, signal: Signal) -> float:
    return max((one.quality for one in person.sightings if one.signal is signal), default=0.0)
