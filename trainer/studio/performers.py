"""Who stands before the camera: a body, a skin, hair and tattoos that stay the same in every picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.body.region_names import Region
from trainer.studio.atlas import load_atlas
from trainer.studio.designs import pick_design
from trainer.studio.phenotype import Phenotype, draw_phenotype
from trainer.studio.seeds import Split, generator, split_of

__all__ = ["Performer", "TattooPlan", "performer_of", "performer_names", "draw_tattoo", "SIZES"]

SIZES: dict[str, tuple[float, float]] = {
    "UPPER_ARM": (0.05, 0.18), "FOREARM": (0.04, 0.17), "HAND_OR_WRIST": (0.02, 0.08),
    "SHOULDER": (0.05, 0.16),
    "THIGH": (0.06, 0.28), "LOWER_LEG": (0.05, 0.22), "FOOT_OR_ANKLE": (0.025, 0.10), "HIP": (0.04, 0.16),
    "BUTTOCK": (0.05, 0.14), "UPPER_BACK": (0.05, 0.34), "LOWER_BACK": (0.06, 0.26), "CHEST": (0.04, 0.26),
    "RIBS_OR_SIDE": (0.06, 0.28), "ABDOMEN": (0.04, 0.20), "NECK": (0.025, 0.09), "HEAD": (0.015, 0.06),
}  # fmt: skip
"""Least and greatest length of a tattoo in a region, metres."""
_SLEEVES = {
    "UPPER_ARM": 0.30,
    "FOREARM": 0.28,
    "THIGH": 0.42,
    "LOWER_LEG": 0.36,
    "UPPER_BACK": 0.42,
    "CHEST": 0.30,
}
_BANDED = ("UPPER_ARM", "FOREARM", "LOWER_LEG", "THIGH")
# How many somebody has, from and below, and how many people those are.
_COUNTS, _COUNT_SHARES = ((0, 1), (2, 8), (6, 18), (14, 38)), (0.08, 0.3, 0.38, 0.24)
# Where people have them: from how often regions are named, arms first.
_SHARES: dict[str, float] = {
    "UPPER_ARM": 9, "FOREARM": 11, "HAND_OR_WRIST": 6, "SHOULDER": 6, "THIGH": 6, "LOWER_LEG": 5,
    "FOOT_OR_ANKLE": 5, "HIP": 4, "BUTTOCK": 2.5, "UPPER_BACK": 10, "LOWER_BACK": 7, "CHEST": 8,
    "RIBS_OR_SIDE": 8, "ABDOMEN": 6, "NECK": 5, "HEAD": 1.2,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TattooPlan:
    """One tattoo of one person: which design, where, how large and how worn."""

    tattoo_id: str
    design_id: str
    region: Region
    """Where its middle lies."""
    face: int
    """Triangle of the body at its middle."""
    size: float
    """Longer side, metres."""
    turn: float
    """Degrees from upright."""
    strength: float
    """How dark the ink still is, 0..1."""
    softness: float
    """How far the ink has run, metres."""
    fading: float
    """How much of the colour has gone, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """A person of the studio."""

    performer_id: str
    split: Split
    phenotype: Phenotype
    tone: float
    """Of the skin, 0 light to 1 dark."""
    undertone: float
    """-1 pink to 1 olive."""
    freckles: float
    """0 none to 1 many."""
    moles: int
    hair: str
    """Colour."""
    hair_style: str
    tattoos: tuple[TattooPlan, ...]


def performer_names(split: Split, *, seed: int, count: int) -> list[str]:
    """Ids of the first `count` performers of a split."""
    found: list[str] = []
    number = 0
    while len(found) < count:
        name = f"p{seed}-{number:06d}"
        if split_of("performer", name) is split:
            found.append(name)
        number += 1
    return found


def performer_of(performer_id: str) -> Performer:
    """The person with that id; always the same."""
    rng = generator("performer", performer_id)
    split = split_of("performer", performer_id)
    phenotype = draw_phenotype(rng)
    tone = float(rng.beta(1.1, 1.9))
    return Performer(
        performer_id=performer_id,
        split=split,
        phenotype=phenotype,
        tone=tone,
        undertone=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        freckles=float(rng.beta(0.7, 3)) * (tone < 0.45),
        moles=int(rng.poisson(9)),
        hair=_hair(rng, tone),
        hair_style=_hair_style(rng, phenotype.gender),
        tattoos=_tattoos(rng, performer_id, split),
    )


def _hair(rng: np.random.Generator, tone: float) -> str:
    colours = ("black", "brown", "light brown", "blond", "red", "grey", "dyed")
    light = np.array([0.16, 0.3, 0.16, 0.2, 0.07, 0.05, 0.06])
    dark = np.array([0.68, 0.2, 0.02, 0.02, 0.0, 0.04, 0.04])
    return colours[rng.choice(len(colours), p=light if tone < 0.5 else dark)]


def _hair_style(rng: np.random.Generator, gender: float) -> str:
    styles = ("bald", "buzz", "short", "bun", "long", "very long")
    male, female = np.array([0.14, 0.3, 0.42, 0.04, 0.08, 0.02]), np.array([0.02, 0.04, 0.2, 0.3, 0.34, 0.1])
    return styles[rng.choice(len(styles), p=female if gender > 0.5 else male)]


def _tattoos(rng: np.random.Generator, performer_id: str, split: Split) -> tuple[TattooPlan, ...]:
    """None for one in twelve, a few for most, covered for some."""
    least, most = _COUNTS[rng.choice(len(_COUNTS), p=_COUNT_SHARES)]
    count = int(rng.integers(least, most))
    plans: list[TattooPlan] = []
    taken: list[tuple[int, float]] = []
    for number in range(count):
        plan = draw_tattoo(rng, f"{performer_id}/t{number}", split)
        if _has_room(plan, taken):
            plans.append(plan)
            taken.append((plan.face, plan.size))
    return tuple(plans)


def draw_tattoo(rng: np.random.Generator, tattoo_id: str, split: Split) -> TattooPlan:
    """Draw a tattoo: a region, a design that suits it, a size and its wear."""
    region = _region(rng)
    kind = region.name.removeprefix("LEFT_").removeprefix("RIGHT_")
    design_id = pick_design(rng, split, kinds=_kinds(kind))
    least, most = SIZES[kind]
    size = float(least * (most / least) ** rng.beta(1.7, 1.3))
    turn = float(rng.normal(0, 9)) if rng.random() < 0.72 else float(rng.uniform(-180, 180))
    if design_id.startswith("sleeve"):
        size, turn = _SLEEVES[kind] * float(rng.uniform(0.8, 1.1)), float(rng.normal(0, 4))
    elif design_id.startswith("band"):
        size, turn = (0.55 if kind == "THIGH" else 0.36), float(rng.normal(0, 3))
    faces = load_atlas().faces_of(region)
    return TattooPlan(
        tattoo_id=tattoo_id,
        design_id=design_id,
        region=region,
        face=int(faces[rng.integers(len(faces))]),
        size=size,
        turn=turn,
        strength=float(rng.beta(4, 1.2)) * 0.75 + 0.25,
        softness=float(rng.uniform(0.0002, 0.0014)),
        fading=float(rng.beta(1.2, 3)),
    )


def _region(rng: np.random.Generator) -> Region:
    kinds = list(_SHARES)
    shares = np.array([_SHARES[kind] for kind in kinds])
    kind = kinds[rng.choice(len(kinds), p=shares / shares.sum())]
    sides = [region for region in Region if region.name.removeprefix("LEFT_").removeprefix("RIGHT_") == kind]
    return sides[rng.integers(len(sides))]


def _kinds(kind: str) -> tuple[str, ...]:
    kinds = ["icon", "motif", "text", "ornament"]
    kinds += ["sleeve"] if kind in _SLEEVES else []
    kinds += ["band"] if kind in _BANDED else []
    return tuple(kinds)


def _has_room(plan: TattooPlan, taken: list[tuple[int, float]]) -> bool:
    """Whether a tattoo lies clear of the others, roughly: middles farther apart than half their sizes."""
    atlas = load_atlas()
    middle = atlas.vertices[atlas.faces[plan.face]].mean(axis=0)
    for face, size in taken:
        other = atlas.vertices[atlas.faces[face]].mean(axis=0)
        if float(np.linalg.norm(middle - other)) < 0.42 * (plan.size + size):
            return False
    return True
