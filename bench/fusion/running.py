"""Policies on the probes of slices: what the figures are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bench.fusion.bodies import Bodies
from bench.fusion.faces import Faces
from bench.fusion.figures import Answers
from bench.fusion.known import Known
from bench.fusion.lives import draw_lives, situated
from bench.fusion.policies import BAYESIAN, Answer, Maps, Policies
from bench.fusion.sights import Sights
from bench.fusion.slices import TWO_PEOPLE, Slice
from bench.fusion.tattoos import Tattoos
from bench.fusion.virtual import Crowd, Probe, Wardrobe, dressed, probes_of
from chassis.signal.calibration import cllr

__all__ = [
    "NO_ABSENCE",
    "NO_DATES",
    "PLACEBO",
    "Library",
    "answers_of",
    "cllr_of",
    "draw_probes",
    "wardrobe_of",
]

PLACEBO = "placebo: tattoos shuffled"
NO_ABSENCE, NO_DATES = "BAYESIAN, nothing absent", "BAYESIAN, without dates"


@dataclass(frozen=True, slots=True)
class Library:
    """What virtual performers are made of, and the crowd around them."""

    faces: Faces
    tattoos: Tattoos
    bodies: Bodies
    crowd: Crowd
    sights: Sights = field(default_factory=Sights)


def draw_probes(library: Library, kind: Slice, policies: Policies, *, draws: int, seed: int) -> list[Probe]:
    """Pictures of a slice; each draw dresses the performers anew."""
    found: list[Probe] = []
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        wardrobe = wardrobe_of(library, rng, is_poisoned=kind.is_poisoned)
        probes = probes_of(
            library.faces, library.tattoos, library.bodies, library.crowd, wardrobe, kind,
            point=policies.tattoo_point, rng=rng,
        )  # fmt: skip
        found += _situated(probes, kind, library, wardrobe, seed=[seed, draw, 1]) if kind.skin else probes
    return found


def _situated(
    probes: Iterable[Probe], kind: Slice, library: Library, wardrobe: Wardrobe, *, seed: Sequence[int]
) -> list[Probe]:
    """In pictures of which it is known which skin they show; drawn apart from all the rest."""
    rng, wearers = np.random.default_rng(seed), (wardrobe.enrolled >= 0).tolist()
    lives = draw_lives(rng, library.sights, wearers, has_dates=kind.is_dated is not None)
    return [situated(one, kind, lives, library.sights, rng) for one in probes]


def wardrobe_of(library: Library, rng: np.random.Generator, *, is_poisoned: bool = False) -> Wardrobe:
    """Who of a library has what."""
    return dressed(
        rng,
        performers=len(library.faces.performers),
        designs=library.tattoos.designs,
        bodies=library.bodies.people,
        is_poisoned=is_poisoned,
    )


def answers_of(
    probes: Sequence[Probe], name: str, policies: Policies, *, seed: int, with_placebo: bool = True
) -> Mapping[str, Answers]:
    """Every policy on the same probes, and BAYESIAN once more on tattoos that were shuffled."""
    rng = np.random.default_rng([seed, 1])
    order = rng.permutation(len(probes)) if name == TWO_PEOPLE else np.arange(len(probes))
    together = 2 if name == TWO_PEOPLE else 1
    pictures = [
        [probes[int(place)] for place in order[start : start + together]]
        for start in range(0, len(order), together)
    ]
    decided = {
        policy: _answers(pictures, [decide(one) for one in pictures])
        for policy, decide in policies.all().items()
    }
    for policy, changed in _variants(probes).items():
        people = [[replace(one, known=one.known and changed(one.known)) for one in of] for of in pictures]
        decided[policy] = _answers(people, [policies.all()[BAYESIAN](one) for one in people])
    if with_placebo and any(one.tattoo and one.known is None for one in probes):
        shuffled = [[_shuffled(one, rng) for one in picture] for picture in pictures]
        decide = policies.all()[BAYESIAN]
        decided[PLACEBO] = _answers(shuffled, [decide(one) for one in shuffled])
    return decided


def _variants(probes: Sequence[Probe]) -> Mapping[str, Callable[[Known], Known]]:
    """What BAYESIAN is judged without, where it has it."""
    of = [one.known for one in probes if one.known is not None]
    found: dict[str, Callable[[Known], Known]] = {}
    if of:
        found[NO_ABSENCE] = Known.without_absence
    if any(each.first_seen for known in of for one in known.facts.values() for each in one.tattoos):
        found[NO_DATES] = Known.without_dates
    return found


def cllr_of(probes: Sequence[Probe], maps: Maps, *, with_others: bool, performers: int, seed: int) -> float:
    """C_llr in bits of all that is counted: each performer's own probe, and each probe with somebody else."""
    rng = np.random.default_rng([seed, 2])
    genuine, impostor = [], []
    for probe in probes:
        if not probe.is_stranger:
            genuine.append(maps.llr(probe, f"z{probe.owner}", with_others=with_others))
        other = int(rng.integers(performers))
        if other != probe.owner:
            impostor.append(maps.llr(probe, f"z{other}", with_others=with_others))
    return cllr(np.array(genuine), np.array(impostor))


def _answers(pictures: Sequence[Sequence[Probe]], decided: Sequence[Sequence[Answer]]) -> Answers:
    people = [one for picture in pictures for one in picture]
    answers = [one for picture in decided for one in picture]
    right = [f"z{one.owner}" for one in people]
    firsts = [one.candidates[:1] for one in answers]
    return Answers(
        owners=np.array([one.owner for one in people]),
        is_stranger=np.array([one.is_stranger for one in people]),
        is_right=np.array([first == (name,) for first, name in zip(firsts, right, strict=True)]),
        is_listed=np.array([name in one.candidates for one, name in zip(answers, right, strict=True)]),
        scores=np.array([one.score for one in answers]),
        weights=np.ones(len(people)),
    )


def _shuffled(probe: Probe, rng: np.random.Generator) -> Probe:
    """With the tattoos' similarities given to other performers at random."""
    values = list(probe.tattoo.values())
    order = rng.permutation(len(values))
    tattoo = {one: values[int(place)] for one, place in zip(probe.tattoo, order, strict=True)}
    face = sorted(probe.face, key=lambda one: -probe.face[one])[:20]
    best = sorted(tattoo, key=lambda one: -tattoo[one])[:20]
    return replace(probe, tattoo=tattoo, proposed=sorted({*face, *best}))
