"""Mannequins are dressed: hips always, the chest of everybody who is not male."""

from __future__ import annotations

import numpy as np
import pytest

from services.body.region_names import Region
from trainer.studio.arrays import Bools, Floats, Ints
from trainer.studio.atlas import load_atlas
from trainer.studio.garments import GARMENTS, JEWELLERY, Garment, cut
from trainer.studio.wardrobe import dress

SEEDS = range(150)


def covered(garments: list[Garment]) -> Bools:
    """(vertices,) whether anything is worn there."""
    return np.asarray(np.any([garment.field > 0 for garment in garments], axis=0))


def crotch() -> Ints:
    """Vertices at the bottom of the trunk."""
    points = load_atlas().vertices
    return np.flatnonzero((np.abs(points[:, 0]) < 0.025) & (points[:, 2] > 0.035) & (points[:, 2] < 0.13))


def breasts() -> Ints:
    """The foremost vertices of both halves of the chest."""
    atlas = load_atlas()
    chest = np.unique(atlas.faces[atlas.faces_of(Region.CHEST)])
    found: list[int] = []
    for sign in (1, -1):
        half = chest[(atlas.vertices[chest, 0] * sign > 0.05) & (atlas.vertices[chest, 0] * sign < 0.11)]
        found += half[np.argsort(atlas.vertices[half, 1])[:6]].tolist()
    return np.array(found)


@pytest.mark.parametrize("gender", [0.0, 0.2, 0.5, 1.0])
def test_hips_are_always_covered(gender: float) -> None:
    """Whoever it is and whatever is drawn."""
    for seed in SEEDS:
        worn = dress(np.random.default_rng(seed), gender=gender)
        assert covered(worn)[crotch()].all(), f"seed {seed}: {[garment.name for garment in worn]}"


@pytest.mark.parametrize("gender", [0.36, 0.7, 1.0])
def test_the_chest_is_covered_but_of_men(gender: float) -> None:
    """The foremost skin of the chest has cloth over it."""
    for seed in SEEDS:
        worn = dress(np.random.default_rng(seed), gender=gender)
        assert covered(worn)[breasts()].all(), f"seed {seed}: {[garment.name for garment in worn]}"


@pytest.mark.parametrize("name", sorted({**GARMENTS, **JEWELLERY}))
def test_no_piece_covers_the_head(name: str) -> None:
    """Faces stay free, and every piece covers something."""
    head = load_atlas().vertices[:, 2] > 0.82
    for seed in range(12):
        field: Floats = cut(name, np.random.default_rng(seed)).field
        assert (field[head] <= 0).all()


@pytest.mark.parametrize("name", sorted(GARMENTS))
def test_every_garment_covers_something(name: str) -> None:
    """A piece that is worn is there."""
    assert (cut(name, np.random.default_rng(1)).field > 0).sum() > 20
