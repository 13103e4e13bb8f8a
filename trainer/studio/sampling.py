"""Which rays a picture needs: one a pixel, and more where something begins or ends."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from trainer.studio.arrays import Bools, Floats, Ints
from trainer.studio.camera import Camera
from trainer.studio.casting import Hits, Stage

__all__ = ["Samples", "sample", "SUPERSAMPLING", "edges_of"]

SUPERSAMPLING = 2
"""Samples along each side of a pixel at edges."""
_STEP = 0.02
"""A jump of the distance by more than this share is an edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Rays and what they met."""

    rays: Floats
    """(n, 3) unit."""
    hits: Hits
    grid: Ints
    """(height x s, width x s) number of the ray that stands for each part of a pixel."""

    def spread(self, values: Floats) -> Floats:
        """Values of rays (n, c) as a picture (height x s, width x s, c)."""
        return np.asarray(values[self.grid])


def sample(stage: Stage, camera: Camera, *, fine: tuple[int, ...]) -> Samples:
    """Trace a picture; meshes whose numbers are in `fine` get more rays everywhere."""
    rays = camera.rays(1).reshape(-1, 3)
    hits = stage.trace(camera.position, rays)
    shape = (camera.height, camera.width)
    edges = edges_of(hits.mesh.reshape(shape), hits.distance.reshape(shape), fine)
    finer = np.flatnonzero(edges)
    within = _within(camera, finer)
    more = stage.trace(camera.position, within)
    kept = np.flatnonzero(~edges.ravel())
    s = SUPERSAMPLING
    grid = np.zeros(shape, np.int32)
    grid.ravel()[kept] = np.arange(len(kept))
    grid = grid.repeat(s, axis=0).repeat(s, axis=1)
    rows, columns = np.divmod(finer, camera.width)
    numbers = len(kept) + np.arange(len(finer) * s * s).reshape(-1, s, s)
    for row in range(s):
        for column in range(s):
            grid[rows * s + row, columns * s + column] = numbers[:, row, column]
    return Samples(np.concatenate([rays[kept], within]), _joined(hits, kept, more), grid)


def edges_of(mesh: Ints, distance: Floats, fine: tuple[int, ...]) -> Bools:
    """Pixels (h, w) beside another mesh or a jump of the distance, or on a mesh that is `fine`."""
    depth = np.where(mesh >= 0, distance, 1e6)
    edge = np.isin(mesh, fine)
    for axis in (0, 1):
        changed = np.diff(mesh, axis=axis) != 0
        near = np.minimum(*_pair(depth, axis))
        changed |= np.abs(np.diff(depth, axis=axis)) > _STEP * near
        first, second = _sides(axis)
        edge[first] |= changed
        edge[second] |= changed
    return np.asarray(cv2.dilate(edge.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _sides(axis: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    every, before, after = slice(None), slice(None, -1), slice(1, None)
    return ((before, every), (after, every)) if axis == 0 else ((every, before), (every, after))


def _pair(values: Floats, axis: int) -> tuple[Floats, Floats]:
    first, second = _sides(axis)
    return values[first], values[second]


def _within(camera: Camera, pixels: Ints) -> Floats:
    """Rays (n x s x s, 3) through the parts of pixels."""
    s = SUPERSAMPLING
    rows, columns = np.divmod(pixels, camera.width)
    parts = (np.arange(s) + 0.5) / s
    y = (rows[:, None, None] + parts[None, :, None] + np.zeros((1, 1, s))).ravel()
    x = (columns[:, None, None] + parts[None, None, :] + np.zeros((1, s, 1))).ravel()
    return camera.rays_through(np.stack([x, y], axis=1))


def _joined(hits: Hits, kept: Ints, more: Hits) -> Hits:
    return Hits(
        mesh=np.concatenate([hits.mesh[kept], more.mesh]),
        face=np.concatenate([hits.face[kept], more.face]),
        weights=np.concatenate([hits.weights[kept], more.weights]),
        distance=np.concatenate([hits.distance[kept], more.distance]),
    )
