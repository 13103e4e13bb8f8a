"""The colour of skin at any point: tone, blotches, pores, moles, freckles, bruises, tan lines, ink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial import cKDTree

from trainer.studio.arrays import Bools, Floats, Ints
from trainer.studio.atlas import load_atlas
from trainer.studio.casting import blended
from trainer.studio.colours import to_light
from trainer.studio.noises import Noise
from trainer.studio.performers import Performer
from trainer.studio.seeds import generator
from trainer.studio.tattooing import LEAST_INK, Tattoo

__all__ = ["Skin", "InkedSamples"]

_TONES = np.array(
    [[0.955, 0.82, 0.74], [0.90, 0.73, 0.62], [0.80, 0.61, 0.48],
     [0.62, 0.43, 0.32], [0.42, 0.28, 0.21], [0.28, 0.185, 0.15]]
)  # fmt: skip
_PORES_WITHIN = 0.0012
"""Pores are drawn where samples lie closer together than this, metres."""


class InkedSamples:
    """Which tattoo each sample of a picture shows."""

    def __init__(self, count: int) -> None:
        self.ink = np.full(count, -1, np.int16)
        """(samples,) number of the tattoo whose ink is seen, -1 for none."""
        self.extent = np.full(count, -1, np.int16)
        """(samples,) number of the tattoo within whose design it lies, -1 for none."""
        self.change = np.zeros(count, np.float32)
        """(samples,) how much the ink darkens or colours the skin, 0..1."""


class Skin:
    """A performer's skin; the same in every picture but for bruises and the sun."""

    def __init__(
        self, performer: Performer, rest: Floats, joints: Mapping[str, Floats], tattoos: Sequence[Tattoo]
    ) -> None:
        self._atlas = load_atlas()
        self._rest, self._tattoos = rest, tattoos
        rng = generator("skin", performer.performer_id)
        self._base = self._colour_of_vertices(rng, performer)
        self._blotches, self._fine = Noise(rng, size=0.03), Noise(rng, size=0.006)
        self._pores = Noise(rng, size=0.0016)
        self._spots = _Spots(rng, performer, rest, self._atlas.faces)
        self._eyes = _Eyes(rng, rest, joints)
        self._features = self._atlas.vertices
        self._brow = float(rng.uniform(0.1, 0.7)), _lips(rng)

    @property
    def faces(self) -> Ints:
        """(27420, 3) vertices of each triangle."""
        return self._atlas.faces

    @property
    def regions(self) -> Ints:
        """(27420,) region of each triangle."""
        return self._atlas.regions

    def with_marks(self, rng: np.random.Generator, tan: Floats | None) -> Floats:
        """(vertices, 3) factors of bruises, and of the sun outside a garment's field `tan` (vertices,)."""
        marks = np.ones((len(self._rest), 3), np.float32)
        for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.8, 0.12, 0.05, 0.03]))):
            middle = self._rest[rng.integers(len(self._rest))]
            reach = np.linalg.norm(self._rest - middle, axis=1) / rng.uniform(0.012, 0.035)
            tint = np.array(((0.75, 0.55, 0.72), (0.9, 0.8, 0.5), (1.0, 0.68, 0.62))[rng.integers(3)])
            marks *= 1 + (tint - 1) * (np.exp(-(reach**2)) * rng.uniform(0.4, 1.0))[:, None]
        if tan is not None:
            inside = np.clip(tan / 0.004 + 0.5, 0, 1)[:, None]
            marks *= inside * rng.uniform(1.05, 1.22) + (1 - inside) * np.array([0.93, 0.86, 0.78])
        return marks.astype(np.float32)

    def at(self, face: Ints, weights: Floats, grain: float, marks: Floats, inked: InkedSamples) -> Floats:
        """Linear colour (n, 3) of skin and ink; notes in `inked` which tattoo is seen."""
        faces = self._atlas.faces
        place = blended(self._rest, faces, face, weights)
        color = blended(self._base * marks, faces, face, weights)
        tint = np.array([0.6, 1.0, 0.9], np.float32)
        noise = 0.03 * self._blotches.at(place) + 0.018 * self._fine.at(place)
        if grain < _PORES_WITHIN:
            noise += 0.02 * self._pores.at(place)
        color *= 1 + noise[:, None] * tint
        self._spots.paint(color, place, face)
        self._paint_face(color, face, weights)
        for number, tattoo in enumerate(self._tattoos):
            _tattooed(color, number, tattoo, face, weights, grain, inked)
        self._eyes.paint(color, place, face, np.asarray(self._atlas.eyes[faces].all(axis=1)))
        return np.clip(color, 0.002, 1).astype(np.float32)

    def _colour_of_vertices(self, rng: np.random.Generator, performer: Performer) -> Floats:
        steps = np.linspace(0, 1, len(_TONES))
        tone = np.array([np.interp(performer.tone, steps, _TONES[:, channel]) for channel in range(3)])
        tone = tone * (1 + performer.undertone * np.array([-0.01, 0.015, -0.03]))
        large = Noise(rng, size=0.15).at(self._rest)[:, None]
        base = to_light(tone) * (1 + 0.03 * large * np.array([0.6, 1, 1]))
        base *= 1 + self._ruddy()[:, None] * np.array([0.0, -0.16, -0.14]) * rng.uniform(0.4, 1.2)
        palms = np.isin(np.arange(len(base)), np.unique(self._atlas.faces[self._palms()]))
        base[palms] = base[palms] * 0.55 + to_light(np.array([0.86, 0.66, 0.57])) * 0.45
        return np.asarray(base, np.float32)

    def _ruddy(self) -> Floats:
        """1 at knees, elbows, knuckles, feet, cheeks and nose, 0 elsewhere."""
        points, joints = self._atlas.vertices, self._atlas.joints
        near = np.zeros(len(points))
        for label, reach in (
            ("lowerleg01", 0.05),
            ("lowerarm01", 0.04),
            ("finger3-1", 0.05),
            ("toe3-1", 0.06),
        ):
            for side in (".L", ".R"):
                gap = np.linalg.norm(points - joints[label + side], axis=1)
                near = np.maximum(near, np.exp(-((gap / reach) ** 2)))
        for spot in ((0, -0.165, 0.86), (0.045, -0.13, 0.86), (-0.045, -0.13, 0.86)):
            gap = np.linalg.norm(points - np.array(spot), axis=1)
            near = np.maximum(near, np.exp(-((gap / 0.022) ** 2)))
        return near

    def _palms(self) -> Bools:
        """Triangles of palms and soles: those that look down on the neutral body."""
        atlas = self._atlas
        a, b, c = (atlas.vertices[atlas.faces[:, corner]] for corner in range(3))
        across = np.cross(b - a, c - a)
        down = across[:, 2] < -0.6 * np.linalg.norm(across, axis=1)
        inner = across[:, 1] > 0.35 * np.linalg.norm(across, axis=1)
        hands, feet = np.isin(atlas.regions, (7, 8)), np.isin(atlas.regions, (15, 16))
        return np.asarray((feet & down) | (hands & inner))

    def _paint_face(self, color: Floats, face: Ints, weights: Floats) -> None:
        head = np.flatnonzero(self._atlas.regions[face] == 27)
        x, y, z = blended(self._features, self._atlas.faces, face[head], weights[head]).T
        front = y < -0.11
        brow = np.exp(
            -(((np.abs(x) - 0.031) / 0.02) ** 4) - ((z - 0.926 + 3 * (np.abs(x) - 0.031) ** 2) / 0.0045) ** 2
        )
        strength, lips = self._brow
        color[head] *= (1 - strength * brow * front)[:, None]
        lip = np.exp(-((x / 0.025) ** 4) - ((z - 0.8185) / 0.0105) ** 4) * (y < -0.13)
        color[head] += (lips - color[head]) * (0.6 * lip)[:, None]


def _lips(rng: np.random.Generator) -> Floats:
    return to_light(np.array([0.68, 0.36, 0.35]) * rng.uniform(0.6, 1.15))


def _tattooed(
    color: Floats, number: int, tattoo: Tattoo, face: Ints, weights: Floats, grain: float, inked: InkedSamples
) -> None:
    """Ink lies under the skin: it swallows light, and hardly ever is brighter than the skin over it."""
    here = np.flatnonzero(tattoo.covered[face])
    if len(here) == 0:
        return
    ink = tattoo.at(face[here], weights[here], grain=grain)
    bare = color[here]
    shade = to_light(ink.color)
    covered = shade * (0.35 + 0.65 * bare / max(float(bare.mean()), 1e-3)) * 0.86 + bare * 0.06
    covered = np.minimum(covered, bare * 1.12 + 0.01)
    change = (covered - bare) * ink.opacity[:, None]
    color[here] = bare + change
    seen = ink.opacity > LEAST_INK
    inked.ink[here[seen]] = number
    inked.extent[here[ink.extent > 0.5]] = number
    inked.change[here] = np.maximum(
        inked.change[here], np.abs(change).max(axis=1) / np.maximum(bare.max(axis=1), 1e-3)
    )


class _Spots:
    """Moles and freckles."""

    def __init__(self, rng: np.random.Generator, performer: Performer, rest: Floats, faces: Ints) -> None:
        freckles = int(performer.freckles * 420)
        chosen = rng.integers(len(faces), size=performer.moles + freckles)
        corners = rest[faces[chosen]]
        self._middles = np.einsum("nkc,nk->nc", corners, rng.dirichlet([1, 1, 1], len(chosen)))
        mole = np.arange(len(chosen)) < performer.moles
        self._radius = np.where(
            mole, rng.gamma(3, 0.0006, len(chosen)) + 0.0008, rng.uniform(0.0006, 0.0016, len(chosen))
        )
        self._depth = np.where(mole, rng.uniform(0.4, 0.8, len(chosen)), rng.uniform(0.12, 0.35, len(chosen)))
        self._tree = cKDTree(self._middles) if len(chosen) else None
        middles = rest[faces].mean(axis=1)
        self._near = np.zeros(len(faces), bool)
        if self._tree is not None:
            self._near = self._tree.query(middles)[0] < 0.03

    def paint(self, color: Floats, place: Floats, face: Ints) -> None:
        if self._tree is None:
            return
        here = np.flatnonzero(self._near[face])
        gap, which = self._tree.query(place[here], distance_upper_bound=0.008)
        found = np.isfinite(gap)
        here, which = here[found], which[found]
        edge = np.clip((self._radius[which] - gap[found]) / 0.0006 + 0.5, 0, 1) * self._depth[which]
        color[here] *= 1 - edge[:, None] * np.array([0.72, 0.9, 0.95])


class _Eyes:
    """White, iris and pupil by the angle from straight ahead."""

    def __init__(self, rng: np.random.Generator, rest: Floats, joints: Mapping[str, Floats]) -> None:
        self._middles = [joints["eye.L"], joints["eye.R"]]
        tints = np.array(
            [[0.2, 0.11, 0.05], [0.1, 0.05, 0.03], [0.12, 0.25, 0.4], [0.15, 0.25, 0.13], [0.25, 0.27, 0.28]]
        )
        self._iris = tints[rng.integers(len(tints))]

    def paint(self, color: Floats, place: Floats, face: Ints, is_eye: Bools) -> None:
        here = np.flatnonzero(is_eye[face])
        if len(here) == 0:
            return
        points = place[here]
        left = points[:, 0] > 0
        middle = np.where(left[:, None], self._middles[0], self._middles[1])
        aside = np.hypot(points[:, 0] - middle[:, 0], points[:, 2] - middle[:, 2])
        color[here] = np.where((aside < 0.0058)[:, None], self._iris, np.array([0.72, 0.68, 0.66]))
        color[here[aside < 0.0024]] = 0.01
