"""Which pictures are asked about: kinds, and who is in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from bench.composites.cast import Cast, VirtualPerson
from bench.composites.composing import APART, OVERLAPPING, Composite, Ink, Shown, compose, covered
from bench.fusion.nuisances import NUISANCES, nuisance_rng
from bench.fusion.pictured import Pictured
from bench.tattoo.photographs import pixels_of
from chassis.geometry import Box

__all__ = ["ENROLLED_VIEWS", "PAIRS", "Kind", "Probe", "Role", "enrolled_picture", "picture_of", "probes_of"]

ENROLLED_VIEWS = (0, -1, -2)
"""Views of a tattoo that are offered for enrolment, one after the other until one is found."""

_PROBED_VIEWS = slice(1, -2)
# What is around the box of a tattoo is skin for the most part.
_AROUND = 1.3


class Kind(StrEnum):
    """What a picture shows."""

    CLEAR = "clear face"
    CLEAR_TATTOO = "clear face + tattoo"
    BLURRED_TATTOO = "blurred face + tattoo"
    COVERED_TATTOO = "covered face + tattoo"
    TWO = "two people"
    TWO_OVERLAPPING = "two people, overlapping"


PAIRS = {Kind.TWO: APART, Kind.TWO_OVERLAPPING: OVERLAPPING}
"""Kinds with two people, and how far apart they are."""


@dataclass(frozen=True, slots=True)
class Role:
    """A person by one photograph and one view of the tattoo, or without it."""

    person: VirtualPerson
    portrait: Path
    tattoo: Pictured | None


@dataclass(frozen=True, slots=True)
class Probe:
    """One picture to ask about."""

    kind: Kind
    number: int
    roles: tuple[Role, ...]


def probes_of(cast: Cast, *, performers: int, strangers: int, pairs: int, seed: int) -> list[Probe]:
    """So many pictures of performers and of strangers of each kind with one person, and so many pairs.

    The kinds with a tattoo are of the same people, photographs and views.
    """
    alone = {
        kind: [
            Probe(kind, number, (_role(person, number // len(of), has_tattoo=kind is not Kind.CLEAR),))
            for number, person in enumerate(_cycled(of, performers) + _cycled(cast.strangers, strangers))
        ]
        for kind in Kind
        if kind not in PAIRS
        for of in [cast.plain if kind is Kind.CLEAR else cast.tattooed]
    }
    together = [
        Probe(kind, number, roles)
        for kind in PAIRS
        for number, roles in enumerate(_pairs(cast, pairs, nuisance_rng(seed, kind, "pairs")))
    ]
    return [*(one for of in alone.values() for one in of), *together]


def picture_of(probe: Probe, *, seed: int) -> Composite:
    """The picture, the same for the same seed."""
    rng = nuisance_rng(seed, "probe", f"{probe.number}/{len(probe.roles)}")
    people = [_shown(role, probe.kind, seed) for role in probe.roles]
    return compose(people, rng, step=PAIRS.get(probe.kind, APART))


def enrolled_picture(person: VirtualPerson, view: int, *, seed: int) -> Composite:
    """A clear picture with the first photograph and a view of the tattoo."""
    tattoo = person.tattoos[view] if person.tattoos else None
    role = Role(person, person.portraits[0], tattoo)
    return compose([_shown(role, Kind.CLEAR, seed)], nuisance_rng(seed, "enrolled", f"{person.name}/{view}"))


def _cycled(people: Sequence[VirtualPerson], count: int) -> list[VirtualPerson]:
    return [people[number % len(people)] for number in range(count)]


def _role(person: VirtualPerson, turn: int, *, has_tattoo: bool) -> Role:
    """Of performers, photographs and views that are not enrolled; another one each turn."""
    portraits = person.portraits if person.is_stranger else person.portraits[1:]
    views = person.tattoos if person.is_stranger else person.tattoos[_PROBED_VIEWS]
    shows = has_tattoo and len(views) > 0
    return Role(person, portraits[turn % len(portraits)], views[turn % len(views)] if shows else None)


def _pairs(cast: Cast, count: int, rng: np.random.Generator) -> Iterator[tuple[Role, ...]]:
    """Somebody tattooed beside somebody tattooed, somebody without a tattoo, or a stranger; in any order."""
    strangers = cast.strangers[-count:]
    for number in range(count):
        one = cast.tattooed[number % len(cast.tattooed)]
        tattooed = [other for other in cast.tattooed if other is not one]
        others = (tattooed, cast.plain, strangers)[number % 3]
        other = others[int(rng.integers(len(others)))]
        pair = [_role(one, number, has_tattoo=True), _role(other, number, has_tattoo=True)]
        yield tuple(pair if rng.random() < 0.5 else pair[::-1])


def _shown(role: Role, kind: Kind, seed: int) -> Shown:
    portrait = pixels_of(role.portrait)
    if kind is Kind.BLURRED_TATTOO:
        portrait = NUISANCES["blur"](portrait, nuisance_rng(seed, "blur", role.portrait.stem))
    elif kind is Kind.COVERED_TATTOO:
        portrait = covered(portrait)
    return Shown(role.person.number, portrait, None if role.tattoo is None else _cut(role.tattoo))


def _cut(tattoo: Pictured) -> Ink:
    pixels = tattoo.load()
    around = tattoo.box.scaled(_AROUND)
    top, left = max(0, round(around.y)), max(0, round(around.x))
    box = Box(tattoo.box.x - left, tattoo.box.y - top, tattoo.box.width, tattoo.box.height)
    part = pixels[top : round(around.bottom), left : round(around.right)]
    return Ink(part, box.intersection(Box(0, 0, part.shape[1], part.shape[0])))
