"""Hair: a cap on the scalp, and strands that hang and lie on the body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from trainer.studio.arrays import Bools, Floats, Ints, unit
from trainer.studio.atlas import load_atlas

__all__ = ["Strands", "scalp_field", "grow", "gaps", "HAIR_COLOURS", "CAPS", "LENGTHS"]

HAIR_COLOURS: dict[str, tuple[float, float, float]] = {
    "black": (0.012, 0.010, 0.010), "brown": (0.05, 0.028, 0.016),
    "light brown": (0.14, 0.08, 0.045),
    "blond": (0.42, 0.29, 0.14),
    "red": (0.22, 0.06, 0.025), "grey": (0.32, 0.31, 0.30), "dyed": (0.30, 0.05, 0.22),
}  # fmt: skip
"""Linear RGB."""
CAPS = {"buzz": 0.003, "short": 0.017, "bun": 0.012, "long": 0.016, "very long": 0.016}
"""Thickness of the cap, metres, by style; the bald have none."""
LENGTHS = {"long": (0.14, 0.3), "very long": (0.3, 0.55)}
_STRANDS, _STEPS = 330, 14
_CLEARANCE = 0.012


@dataclass(frozen=True, slots=True, eq=False)
class Strands:
    """Ribbons of hair as one mesh."""

    vertices: Floats
    """(n, 3) metres."""
    faces: Ints
    across: Floats
    """(n,) -1 at one edge of a ribbon, 1 at the other."""
    along: Floats
    """(n,) 0 at the root, 1 at the tip."""


@cache
def scalp_field() -> Floats:
    """(vertices,) metres inside the hairline of the neutral body, negative outside."""
    atlas = load_atlas()
    x, y, z = atlas.vertices.astype(np.float64).T
    line = 0.955 - 0.85 * (y + 0.13) + 0.12 * np.maximum(np.abs(x) - 0.05, 0)
    field = (z - line) / 1.31
    ears = (np.abs(x) > 0.083) & (y > -0.07) & (z < 0.94)
    return np.where(ears | (z < atlas.joints["head"][2] - 0.06), -1.0, field).astype(np.float32)


def grow(
    rng: np.random.Generator,
    *,
    roots: Floats,
    outward: Floats,
    back: Floats,
    body: Floats,
    normals: Floats,
    length: float,
    floor: float,
) -> Strands:
    """Ribbons from roots (n, 3) that start along `outward` (n, 3), fall, and lie on the body (v, 3).

    `back` (3,) is where the back of the head looks: hair is combed that way first, to leave the face free.
    """
    tree = cKDTree(body)
    count = min(_STRANDS, len(roots))
    chosen = rng.choice(len(roots), count, replace=False)
    point: Floats = roots[chosen].astype(np.float64)
    heading = unit(0.7 * outward[chosen] + rng.normal(0, 0.12, (count, 3)) + back)
    lengths = length * rng.uniform(0.75, 1.1, count)
    step = (lengths / _STEPS)[:, None]
    wave, phase = rng.choice([0.04, 0.1, 0.25]), rng.uniform(0, 6.3, count)
    path: list[Floats] = [point]
    for number in range(_STEPS):
        curl = wave * np.sin(phase + number * 0.9)[:, None] * _sideways(heading)
        combed = max(0.0, 0.75 - 0.3 * number) * back
        heading = unit(
            heading * 0.62 + combed + np.array([0, 0, -0.5]) + curl + rng.normal(0, 0.035, (count, 3))
        )
        point = _pushed_out(point + heading * step, tree, body, normals)
        point[:, 2] = np.maximum(point[:, 2], floor + 0.006)
        path.append(point)
    return _ribbons(rng, np.stack(path, axis=1), tree, normals)


def _pushed_out(point: Floats, tree: cKDTree, body: Floats, normals: Floats) -> Floats:
    _, nearest = tree.query(point)
    gap = np.einsum("ni,ni->n", point - body[nearest], normals[nearest])
    push = np.maximum(_CLEARANCE - gap, 0)
    # What is far off is not inside: the nearest vertex of a thin limb may look away.
    near = np.linalg.norm(point - body[nearest], axis=1) < 0.08
    return np.asarray(point + normals[nearest] * (push * near)[:, None])


def _sideways(heading: Floats) -> Floats:
    return unit(np.cross(heading, [0, 0, 1.0]) + 1e-6)


def _ribbons(rng: np.random.Generator, path: Floats, tree: cKDTree, normals: Floats) -> Strands:
    count, steps, _ = path.shape
    tangent = unit(np.gradient(path, axis=1))
    _, nearest = tree.query(path.reshape(-1, 3))
    across = unit(np.cross(tangent, normals[nearest].reshape(path.shape)))
    along = np.linspace(0, 1, steps)
    width = np.asarray(rng.uniform(0.006, 0.017, count))[:, None] * (1 - 0.75 * along**2)
    edges = np.stack([path - across * width[..., None] / 2, path + across * width[..., None] / 2], axis=2)
    first = (np.arange(count)[:, None] * steps + np.arange(steps - 1)).ravel() * 2
    faces = np.concatenate(
        [np.stack([first, first + 1, first + 2], axis=1), np.stack([first + 1, first + 3, first + 2], axis=1)]
    )
    return Strands(
        vertices=edges.reshape(-1, 3).astype(np.float32),
        faces=faces.astype(np.int32),
        across=np.tile(np.array([-1.0, 1.0], np.float32), count * steps),
        along=np.repeat(np.tile(along, count), 2).astype(np.float32),
    )


def gaps(across: Floats, along: Floats) -> Bools:
    """Whether there is hair at points of a ribbon: it frays towards its edges and its tip."""
    stripes = np.sin(across * 17 + 3 * np.sin(along * 9)) + np.sin(across * 41 + 5 * along)
    return np.asarray(stripes > 2.6 * (np.abs(across) - 0.35) + 1.5 * (along - 0.75))
