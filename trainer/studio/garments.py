"""Clothes, straps and jewellery as fields on the body: metres from the hem, positive where there is cloth.

All are drawn on the neutral body at rest, whose triangles every body shares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from trainer.studio.arrays import Bools, Floats
from trainer.studio.atlas import load_atlas

__all__ = ["Garment", "GARMENTS", "JEWELLERY", "cut"]

_NOWHERE = -1.0


@dataclass(frozen=True, slots=True, eq=False)
class Garment:
    """A piece that somebody wears."""

    name: str
    field: Floats
    """(vertices,) metres inside the hem; negative where there is none."""
    loose: float
    """Metres between skin and cloth."""
    material: str
    """`cloth`, `leather`, `metal` or `lace`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Measures:
    """Coordinates of the neutral body's vertices that cuts are made by."""

    x: Floats
    y: Floats
    z: Floats
    arm: Floats
    """Share of the way from shoulder to wrist; nan off the arms."""
    leg: Floats
    """Share of the way from hip to ankle; nan off the legs."""
    is_arm: Bools
    is_head: Bools

    @property
    def across(self) -> Floats:
        return np.abs(self.x)


Cut = Callable[[np.random.Generator, _Measures], Floats]


def cut(name: str, rng: np.random.Generator) -> Garment:
    """One piece of that name, cut at random within what is usual."""
    pieces = {**GARMENTS, **JEWELLERY}
    make, loose, materials = pieces[name]
    measures = _measures()
    field = np.where(measures.is_head, _NOWHERE, make(rng, measures)).astype(np.float32)
    return Garment(name, field, float(rng.uniform(*loose)), str(rng.choice(materials)))


@cache
def _measures() -> _Measures:
    atlas = load_atlas()
    points = atlas.vertices.astype(np.float64)
    x, y, z = points.T
    names = {}
    for side, sign in ((".L", 1), (".R", -1)):
        shoulder, elbow, wrist = (
            atlas.joints[bone + side].astype(np.float64) for bone in ("upperarm01", "lowerarm01", "wrist")
        )
        own = x * sign > 0
        names[side] = own, _along(points, shoulder, elbow, wrist)
    arm_region = np.zeros(len(points), bool)
    for region in range(3, 9):
        arm_region[np.unique(atlas.faces[atlas.regions == region])] = True
    shoulder_x = float(atlas.joints["upperarm01.L"][0])
    is_arm = arm_region & (np.abs(x) > shoulder_x - 0.005)
    arm = np.where(x > 0, names[".L"][1], names[".R"][1])
    hip, ankle = atlas.joints["upperleg01.L"], atlas.joints["foot.L"]
    leg = (float(hip[2]) - z) / float(hip[2] - ankle[2])
    head = z > float(atlas.joints["head"][2]) - 0.07
    return _Measures(x, y, z, np.where(is_arm, arm, np.nan), np.where(is_arm, np.nan, leg), is_arm, head)


def _along(points: Floats, shoulder: Floats, elbow: Floats, wrist: Floats) -> Floats:
    """0 at the shoulder, 0.5 at the elbow, 1 at the wrist, beyond it more."""
    upper, lower = elbow - shoulder, wrist - elbow
    first = (points - shoulder) @ upper / (upper @ upper)
    second = (points - elbow) @ lower / (lower @ lower)
    return np.asarray(np.where(second > 0, 0.5 + second / 2, np.minimum(first, 1) / 2))


def _trunk(m: _Measures, field: Floats) -> Floats:
    return np.where(m.is_arm, _NOWHERE, field)


def _briefs(rng: np.random.Generator, m: _Measures) -> Floats:
    waist, slope = rng.uniform(0.19, 0.29), rng.uniform(0.55, 1.15)
    opening = (m.z - (0.028 + slope * np.maximum(m.across - 0.03, 0) * np.where(m.y < 0, 1, 0.6))) / np.hypot(
        1, slope
    )
    return _trunk(m, np.minimum(waist - m.z, opening))


def _shorts(rng: np.random.Generator, m: _Measures) -> Floats:
    waist, hem = rng.uniform(0.2, 0.32), rng.uniform(-0.25, 0.02)
    return _trunk(m, np.minimum(waist - m.z, m.z - hem))


def _trousers(rng: np.random.Generator, m: _Measures) -> Floats:
    waist, hem = rng.uniform(0.2, 0.34), rng.choice([-0.72, -0.68, -0.4])
    return _trunk(m, np.minimum(waist - m.z, m.z - hem))


def _bra(rng: np.random.Generator, m: _Measures) -> Floats:
    low, top, behind = rng.uniform(0.48, 0.51), rng.uniform(0.6, 0.64), rng.uniform(0.535, 0.56)
    dip = rng.uniform(0, 0.9) * np.maximum(0.07 - m.across, 0)
    band = np.minimum(m.z - low, np.where(m.y < 0, top - dip, behind) - m.z)
    if rng.random() < 0.75:
        strap = np.minimum(rng.uniform(0.004, 0.014) - np.abs(m.across - 0.085), m.z - 0.53)
        band = np.maximum(band, np.where(m.is_head, _NOWHERE, strap))
    return _trunk(m, band)


def _triangles(rng: np.random.Generator, m: _Measures) -> Floats:
    low, slope = rng.uniform(0.5, 0.52), rng.uniform(0.8, 1.3)
    cups = np.minimum(m.z - low, 0.66 - slope * np.abs(m.across - 0.078) - m.z)
    string = 0.005 - np.abs(m.z - low - 0.004)
    neck = np.minimum(0.006 - np.abs(m.across - 0.078 + 0.2 * np.maximum(m.z - 0.62, 0)), m.z - 0.6)
    return _trunk(m, np.maximum(np.where(m.y < -0.02, np.maximum(cups, neck), _NOWHERE), string))


def _bandeau(rng: np.random.Generator, m: _Measures) -> Floats:
    return _trunk(m, np.minimum(m.z - rng.uniform(0.48, 0.52), rng.uniform(0.585, 0.62) - m.z))


def _tank(rng: np.random.Generator, m: _Measures) -> Floats:
    hem, neck = rng.choice([0.1, 0.2, 0.42]) + rng.uniform(-0.03, 0.03), rng.uniform(0.6, 0.68)
    scoop = np.hypot(m.across / 1.0, np.maximum(0.76 - m.z, 0) * 0.09 / (0.77 - neck)) - 0.085
    armhole = 0.15 - m.across + 0.5 * np.maximum(0.56 - m.z, 0)
    return _trunk(m, np.minimum(np.minimum(m.z - hem, armhole), np.where(m.z > 0.55, scoop, 1)))


def _sleeved(rng: np.random.Generator, m: _Measures, *, until: float) -> Floats:
    hem, neck = rng.uniform(0.05, 0.22), rng.uniform(0.69, 0.735)
    sleeve = np.where(m.is_arm, (until - np.nan_to_num(m.arm, nan=0)) * 0.5, m.z - hem)
    scoop = np.hypot(m.across, np.maximum(0.78 - m.z, 0) * 0.09 / (0.78 - neck)) - 0.075
    return np.minimum(sleeve, np.where((m.z > 0.6) & (m.across < 0.14), scoop, 1))


def _shirt(rng: np.random.Generator, m: _Measures) -> Floats:
    return _sleeved(rng, m, until=rng.uniform(0.28, 0.5))


def _jumper(rng: np.random.Generator, m: _Measures) -> Floats:
    return _sleeved(rng, m, until=rng.uniform(0.85, 1.0))


def _open_shirt(rng: np.random.Generator, m: _Measures) -> Floats:
    gap = rng.uniform(0.03, 0.09)
    opening = np.where(m.y < -0.02, m.across - gap, 1)
    return np.asarray(np.minimum(_sleeved(rng, m, until=float(rng.choice([0.4, 0.95]))), opening))


def _swimsuit(rng: np.random.Generator, m: _Measures) -> Floats:
    return np.asarray(np.maximum(np.minimum(_tank(rng, m), m.z - 0.2), _briefs(rng, m)))


def _stockings(rng: np.random.Generator, m: _Measures) -> Floats:
    top = rng.choice([-0.12, -0.35, -0.62]) + rng.uniform(-0.04, 0.04)
    return _trunk(m, top - m.z)


def _gloves(rng: np.random.Generator, m: _Measures) -> Floats:
    begins = rng.choice([0.55, 0.9])
    return np.where(m.is_arm, (np.nan_to_num(m.arm) - begins) * 0.5, _NOWHERE)


def _one_side(rng: np.random.Generator, m: _Measures) -> Bools:
    side = rng.choice([-1, 0, 1])
    return np.ones(len(m.x), bool) if side == 0 else m.x * side > 0


def _bracelet(rng: np.random.Generator, m: _Measures) -> Floats:
    width, place = rng.uniform(0.002, 0.02), rng.uniform(0.88, 0.97)
    ring = width - np.abs(np.nan_to_num(m.arm, nan=9) - place) * 0.52
    return np.where(m.is_arm & _one_side(rng, m), ring, _NOWHERE)


def _armlet(rng: np.random.Generator, m: _Measures) -> Floats:
    ring = rng.uniform(0.003, 0.014) - np.abs(np.nan_to_num(m.arm, nan=9) - rng.uniform(0.2, 0.4)) * 0.52
    return np.where(m.is_arm & _one_side(rng, m), ring, _NOWHERE)


def _garter(rng: np.random.Generator, m: _Measures) -> Floats:
    ring = rng.uniform(0.004, 0.022) - np.abs(m.z - rng.uniform(-0.2, -0.05))
    return _trunk(m, np.where(_one_side(rng, m), ring, _NOWHERE))


def _anklet(rng: np.random.Generator, m: _Measures) -> Floats:
    ring = rng.uniform(0.002, 0.008) - np.abs(m.z - rng.uniform(-0.7, -0.66))
    return _trunk(m, np.where(_one_side(rng, m), ring, _NOWHERE))


def _choker(rng: np.random.Generator, m: _Measures) -> Floats:
    return _trunk(m, rng.uniform(0.002, 0.014) - np.abs(m.z + 0.35 * m.y - rng.uniform(0.745, 0.775)))


def _necklace(rng: np.random.Generator, m: _Measures) -> Floats:
    """A chain that hangs from the neck: a tilted loop, lower in front."""
    low, width = rng.uniform(0.56, 0.69), rng.uniform(0.0012, 0.004)
    drop = (m.across / 0.085) ** 2 * (0.745 - low)
    chain = width - np.abs(m.z - low - drop) / np.hypot(
        1, np.minimum(2 * m.across * (0.745 - low) / 0.085**2, 4)
    )
    pendant = rng.uniform(0.004, 0.013) - np.hypot(m.x, m.z - low + 0.008)
    return _trunk(m, np.where((m.y < -0.02) & (m.z < 0.76), np.maximum(chain, pendant), _NOWHERE))


def _waist_chain(rng: np.random.Generator, m: _Measures) -> Floats:
    return _trunk(
        m, rng.uniform(0.0015, 0.004) - np.abs(m.z - rng.uniform(0.2, 0.34) - 0.2 * m.x * rng.normal())
    )


def _straps(rng: np.random.Generator, m: _Measures) -> Floats:
    """A harness: a few bands around the trunk in any direction."""
    bands = np.full(len(m.x), _NOWHERE)
    for _ in range(int(rng.integers(1, 4))):
        tilt = rng.normal(0, 0.7)
        plane = (m.z - rng.uniform(0.3, 0.62)) * np.cos(tilt) + m.x * np.sin(tilt)
        bands = np.maximum(bands, rng.uniform(0.004, 0.014) - np.abs(plane))
    return _trunk(m, np.where(m.z > 0.2, bands, _NOWHERE))


_Piece = tuple[Cut, tuple[float, float], tuple[str, ...]]
_TIGHT, _LOOSE, _ON_SKIN = (0.003, 0.006), (0.008, 0.02), (0.002, 0.004)
_CLOTH, _FINE = ("cloth", "cloth", "cloth", "leather"), ("cloth", "cloth", "lace", "leather")
GARMENTS: Mapping[str, _Piece] = {
    "briefs": (_briefs, _TIGHT, _FINE),
    "shorts": (_shorts, (0.005, 0.016), _CLOTH),
    "trousers": (_trousers, (0.005, 0.018), _CLOTH),
    "bra": (_bra, _TIGHT, _FINE),
    "triangles": (_triangles, _TIGHT, _FINE),
    "bandeau": (_bandeau, _TIGHT, _CLOTH),
    "tank": (_tank, (0.004, 0.014), _CLOTH),
    "shirt": (_shirt, _LOOSE, ("cloth",)),
    "jumper": (_jumper, _LOOSE, ("cloth",)),
    "open shirt": (_open_shirt, _LOOSE, ("cloth",)),
    "swimsuit": (_swimsuit, _TIGHT, _CLOTH),
    "stockings": (_stockings, (0.002, 0.004), _FINE),
    "gloves": (_gloves, (0.002, 0.004), _FINE),
}
JEWELLERY: Mapping[str, _Piece] = {
    "bracelet": (_bracelet, _ON_SKIN, ("metal", "leather", "cloth")),
    "armlet": (_armlet, _ON_SKIN, ("metal", "leather", "cloth")),
    "garter": (_garter, _ON_SKIN, _FINE),
    "anklet": (_anklet, _ON_SKIN, ("metal", "leather")),
    "choker": (_choker, _ON_SKIN, ("metal", "leather", "cloth", "lace")),
    "necklace": (_necklace, _ON_SKIN, ("metal",)),
    "waist chain": (_waist_chain, _ON_SKIN, ("metal", "leather")),
    "straps": (_straps, _ON_SKIN, ("leather", "cloth")),
}
