"""Tattoos on a body: the design laid on the skin in metres, and read at any point of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from services.body.region_names import Region
from trainer.studio.arrays import Bools, Floats, Ints
from trainer.studio.atlas import limb_axis, load_atlas
from trainer.studio.casting import blended
from trainer.studio.designs import draw
from trainer.studio.inking import extent_of
from trainer.studio.log_map import Surface, chart_around
from trainer.studio.performers import TattooPlan
from trainer.studio.reading import read_picture

__all__ = ["Tattoo", "Ink", "Painted", "apply_tattoo", "triangle_areas", "LEAST_INK"]

LEAST_INK = 0.2
"""Skin with less ink than this counts as bare."""
_GRID = 6
_LAYERS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """What a tattoo adds at points of the skin."""

    opacity: Floats
    """(n,) 0..1."""
    color: Floats
    """(n, 3) RGB 0..1."""
    extent: Floats
    """(n,) 0..1: 1 inside the design, its gaps included."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """Points spread over a tattoo's ink, for measuring it."""

    face: Ints
    """(n,) triangle of each."""
    weights: Floats
    """(n, 3) barycentric."""


class Tattoo:
    """A tattoo that has been applied to a body's mesh."""

    def __init__(self, plan: TattooPlan, positions: Floats, covered: Bools, faces: Ints) -> None:
        self.plan = plan
        self.covered = covered
        """(faces,) triangles that it can touch."""
        self._faces = faces
        self._positions = np.nan_to_num(positions)
        drawn = draw(plan.design_id)
        self._levels = _pyramid(_worn(plan, drawn.opacity, drawn.color))
        self._metres = plan.size / max(drawn.opacity.shape)
        """Of a pixel of the drawing."""
        self.painted = self._spread()
        self.regions = _shares(self.painted)
        """Share of its ink in each region, most first."""

    def at(self, face: Ints, weights: Floats, *, grain: float = 0.0) -> Ink:
        """Ink at points of covered triangles; `grain` is the distance between them on the skin, metres."""
        level = int(np.clip(np.floor(np.log2(max(grain / self._metres, 1.0))), 0, len(self._levels) - 1))
        picture = self._levels[level]
        place = self._place(face, weights) / 2**level - 0.5
        read = read_picture(picture, place, cv2.BORDER_CONSTANT)
        return Ink(read[:, 0], read[:, 1:4], read[:, 4])

    def _place(self, face: Ints, weights: Floats) -> Floats:
        """Pixels of the drawing, (n, 2), at points of the skin."""
        flat = blended(self._positions, self._faces, face, weights)
        turn = np.radians(self.plan.turn)
        turned = flat @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        height, width = self._levels[0].shape[:2]
        return np.asarray(turned * [1, -1] / self._metres + [width / 2, height / 2], np.float32)

    def _spread(self) -> Painted:
        """Points at the middles of a fine grid in every covered triangle, kept where there is ink."""
        chosen = np.flatnonzero(self.covered)
        cells = _cells(_GRID)
        face = np.repeat(chosen, len(cells))
        weights = np.tile(cells, (len(chosen), 1)).astype(np.float32)
        inked = self.at(face, weights, grain=0.002).opacity > LEAST_INK
        return Painted(face[inked], weights[inked])


def apply_tattoo(plan: TattooPlan, surface: Surface, joints: dict[str, Floats]) -> Tattoo:
    """Lay a tattoo on a body at rest."""
    up = limb_axis(plan.region, joints)
    drawn = draw(plan.design_id).opacity.shape
    radius = 0.5 * plan.size * float(np.hypot(*drawn)) / max(drawn) + 0.01
    chart = chart_around(surface, plan.face, np.full(3, 1 / 3), up, radius=radius)
    return Tattoo(plan, chart.positions, chart.covered, surface.faces)


def triangle_areas(vertices: Floats, faces: Ints) -> Floats:
    """(faces,) square metres."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2)


def _shares(painted: Painted) -> list[tuple[Region, float]]:
    atlas = load_atlas()
    areas = triangle_areas(atlas.vertices, atlas.faces)[painted.face]
    sums = np.bincount(atlas.regions[painted.face], areas, minlength=max(Region) + 1)
    total = max(float(sums.sum()), 1e-12)
    shares = [(region, float(sums[region]) / total) for region in Region if sums[region] > 0]
    return sorted(shares, key=lambda share: -share[1])


def _worn(plan: TattooPlan, opacity: Floats, color: Floats) -> Floats:
    """The drawing as it is after years, (h, w, 5): opacity, colour, extent."""
    blur = plan.softness / (plan.size / max(opacity.shape))
    soft = cv2.GaussianBlur(opacity, (0, 0), blur) if blur > 0.3 else opacity
    grey = color.mean(axis=2, keepdims=True)
    faded = color * (1 - plan.fading) + (0.75 * grey + 0.12) * plan.fading
    worn = np.dstack([soft * plan.strength, faded, extent_of(opacity)]).astype(np.float32)
    # Bare skin around the drawing, so that it ends where its picture ends.
    return np.pad(worn, ((2, 2), (2, 2), (0, 0)))


def _pyramid(picture: Floats) -> list[Floats]:
    levels = [picture]
    while len(levels) < _LAYERS and min(levels[-1].shape[:2]) >= 16:
        height, width = levels[-1].shape[:2]
        levels.append(_halved(levels[-1], (width // 2, height // 2)))
    return levels


def _halved(picture: Floats, size: tuple[int, int]) -> Floats:
    channels = [
        cv2.resize(picture[..., one], size, interpolation=cv2.INTER_AREA) for one in range(picture.shape[2])
    ]
    return np.dstack(channels).astype(np.float32)


def _cells(count: int) -> Floats:
    """Barycentric middles of the count x count equal small triangles that a triangle is cut into."""
    middles = []
    for row in range(count):
        for column in range(count - row):
            middles.append(((row + 1 / 3) / count, (column + 1 / 3) / count))
            if row + column < count - 1:
                middles.append(((row + 2 / 3) / count, (column + 2 / 3) / count))
    first = np.array(middles)
    return np.column_stack([1 - first.sum(axis=1), first])
