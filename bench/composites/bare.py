"""The same photographs, bare, as bench/fusion sees them: how far the evidence of a composite differs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import Progress

from bench.composites.asking import Asked, Setting
from bench.composites.cast import Cast
from bench.composites.judging import person_of
from bench.composites.offline import Agreement, agreement_of
from bench.composites.probing import Kind
from bench.faces.comparing import Comparison
from bench.faces.observing import Look, observe_all
from bench.fusion.policies import SHIPPED_FACE, Policies
from bench.fusion.virtual import Probe
from chassis.config import load_config
from client.values import Person, Signal
from services.face.config import FaceConfig

__all__ = ["Bare", "compare_bare", "observe_bare"]

_CLEAR = (Kind.CLEAR, Kind.CLEAR_TATTOO)
_APART = 0.1
# Of a search by the face.
_PROPOSED = 20


@dataclass(frozen=True, slots=True)
class Bare:
    """Clear faces, in composites by Identify and bare by bench/fusion, both by the face alone."""

    answers: Agreement
    pairs: int
    """Probes of performers with a similarity to their own photograph from both."""
    median_similarity: float
    """Of the absolute differences of the two."""
    most_similarity: float
    apart: int
    """Differences above 0.1: where the face of somebody else was taken, of several in a photograph."""


def observe_bare(asked: Sequence[Asked], cast: Cast, cache: Path) -> Look:
    """What the face service's code sees in the photographs themselves; `cache`: what can be made again."""
    files = [one.portraits[0] for one in cast.performers]
    files += [one.probe.roles[0].portrait for one in asked if one.probe.kind in _CLEAR]
    with Progress() as progress:
        config = load_config(FaceConfig)
        return asyncio.run(observe_all(list(dict.fromkeys(files)), config, cache=cache, progress=progress))


def compare_bare(asked: Sequence[Asked], cast: Cast, look: Look, policies: Policies) -> Bare:
    """Of the clear faces that both see."""
    comparison, gallery = Comparison(look.ensemble.rows, look.seen), [p.portraits[0] for p in cast.performers]
    policy = policies.all()[SHIPPED_FACE]
    pairs, differences = [], []
    for one in asked:
        role, seen = one.probe.roles[0], look.seen.get(one.probe.roles[0].portrait)
        person = person_of(one.composite.figures[0], one.answers[Setting.FACE_ONLY])
        if one.probe.kind not in _CLEAR or seen is None or person is None or not person.candidates:
            continue
        alike = comparison.similarities([role.portrait], gallery)[0]
        told = {each.name: float(value) for each, value in zip(cast.performers, alike, strict=True)}
        (answer,) = policy([_probe(told, seen.factors.quality)])
        pairs.append((person.candidates[0].name, min(1.0, person.candidates[0].score), answer))
        own = _similarity(person, role.person.name)
        if own is not None and not role.person.is_stranger:
            differences.append(abs(own - told[role.person.name]))
    return Bare(
        agreement_of(pairs),
        len(differences),
        float(np.median(differences)) if differences else np.nan,
        max(differences, default=np.nan),
        sum(one > _APART for one in differences),
    )


def _probe(told: dict[str, float], quality: float) -> Probe:
    proposed = sorted(told, key=lambda one: -told[one])[:_PROPOSED]
    return Probe(
        owner=-1, is_stranger=False, face=told, face_quality=quality, tattoo={}, tattoo_quality=0.0, body={},
        wearers=frozenset(), has_tattoo=False, proposed=proposed,
    )  # fmt: skip


def _similarity(person: Person, name: str) -> float | None:
    evidence = (each for one in person.candidates if one.name == name for each in one.evidence)
    return next((one.similarity for one in evidence if one.signal is Signal.FACE), None)
