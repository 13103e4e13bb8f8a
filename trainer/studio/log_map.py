"""Flat coordinates, in metres, around a point of a surface: how a stencil lies on skin.

The discrete exponential map of Schmidt, Grimm and Wyvill 2006, "Interactive decal compositing with discrete
exponential maps": walk outwards along the edges, and carry the plane of the centre along. It knows the mesh
and not its texture, so that seams of the texture do not exist for it, and a metre is a metre everywhere.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from trainer.studio.arrays import Bools, Floats, Ints, unit

__all__ = ["Surface", "Chart", "chart_around"]

_TORN = 2.2
"""A triangle with a side this much longer on the map than in space is not covered."""


class Surface:
    """A mesh with its edges at hand."""

    def __init__(self, vertices: Floats, faces: Ints, normals: Floats) -> None:
        self.vertices, self.faces, self.normals = (
            vertices.astype(np.float64),
            faces,
            normals.astype(np.float64),
        )
        pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
        self._starts = np.searchsorted(pairs[:, 0], np.arange(len(vertices) + 1))
        self._ends = pairs[:, 1]

    def neighbours(self, vertex: int) -> Ints:
        """Vertices that share an edge with one."""
        return np.asarray(self._ends[self._starts[vertex] : self._starts[vertex + 1]])


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Flat coordinates of the surface around a point."""

    positions: Floats
    """(vertices, 2) metres to the right and up as seen from outside; nan where the map does not reach."""
    covered: Bools
    """(faces,) which triangles lie on the map."""


def chart_around(surface: Surface, face: int, weights: Floats, up: Floats, *, radius: float) -> Chart:
    """The map around the point of a triangle at barycentric `weights` (3,), as far as `radius` metres.

    `up` (3,) shows which way is up; it is laid flat on the surface.
    """
    corners = surface.faces[face]
    centre, normal = weights @ surface.vertices[corners], unit(weights @ surface.normals[corners])
    upright = unit(up - (up @ normal) * normal)
    frame = np.stack([np.cross(upright, normal), upright])
    walk = _Walk(surface, radius)
    for vertex in corners:
        walk.begin(int(vertex), centre, normal, frame)
    positions = walk.run()
    return Chart(positions.astype(np.float32), _covered(surface, positions))


class _Walk:
    def __init__(self, surface: Surface, radius: float) -> None:
        count = len(surface.vertices)
        self._surface, self._radius = surface, radius
        self._positions = np.full((count, 2), np.nan)
        self._frames: dict[int, Floats] = {}
        self._nearest = np.full(count, np.inf)
        self._settled = np.zeros(count, bool)
        self._queue: list[tuple[float, int]] = []

    def begin(self, vertex: int, centre: Floats, normal: Floats, frame: Floats) -> None:
        step = self._surface.vertices[vertex] - centre
        self._positions[vertex] = frame @ step
        self._frames[vertex] = _carried(frame, normal, self._surface.normals[vertex])
        self._nearest[vertex] = np.linalg.norm(step)
        heapq.heappush(self._queue, (float(self._nearest[vertex]), vertex))

    def run(self) -> Floats:
        surface = self._surface
        begun = set(self._frames)
        while self._queue:
            distance, vertex = heapq.heappop(self._queue)
            if self._settled[vertex] or distance > self._radius:
                continue
            around = surface.neighbours(vertex)
            if vertex not in begun:
                self._settle(vertex, around)
            self._settled[vertex] = True
            steps = np.linalg.norm(surface.vertices[around] - surface.vertices[vertex], axis=1)
            for other, step in zip(around.tolist(), steps.tolist(), strict=True):
                if not self._settled[other] and distance + step < self._nearest[other]:
                    self._nearest[other] = distance + step
                    heapq.heappush(self._queue, (distance + step, other))
        self._positions[~self._settled] = np.nan
        return self._positions

    def _settle(self, vertex: int, around: Ints) -> None:
        """Place a vertex where its settled neighbours, the nearer the more, say that it is."""
        surface = self._surface
        known = around[self._settled[around]]
        steps = surface.vertices[vertex] - surface.vertices[known]
        frames = np.stack([self._frames[int(one)] for one in known])
        flat = np.einsum("nij,nj->ni", frames, steps)
        lengths = np.linalg.norm(steps, axis=1)
        # The length of a step stays, only its direction is laid flat.
        flat *= (lengths / np.maximum(np.linalg.norm(flat, axis=1), 1e-9))[:, None]
        weights = 1 / np.maximum(lengths, 1e-6)
        self._positions[vertex] = weights @ (self._positions[known] + flat) / weights.sum()
        nearest = int(known[np.argmin(self._nearest[known] + lengths)])
        self._frames[vertex] = _carried(
            self._frames[nearest], surface.normals[nearest], surface.normals[vertex]
        )


def _carried(frame: Floats, start: Floats, end: Floats) -> Floats:
    """A frame (2, 3) turned as one unit normal turns to another (Rodrigues)."""
    (a, b, c), (d, e, f) = start.tolist(), end.tolist()
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    cosine = a * d + b * e + c * f
    if cosine < -0.999:
        return frame
    k = 1 / (1 + cosine)
    turned = (
        (cosine + k * x * x, k * x * y + z, k * x * z - y),
        (k * x * y - z, cosine + k * y * y, k * y * z + x),
        (k * x * z + y, k * y * z - x, cosine + k * z * z),
    )
    return np.asarray(frame @ np.array(turned))


def _covered(surface: Surface, positions: Floats) -> Bools:
    faces = surface.faces
    reached = np.isfinite(positions[:, 0])
    covered: Bools = np.asarray(reached[faces].all(axis=1))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        start, end = faces[covered, a], faces[covered, b]
        flat = np.linalg.norm(positions[start] - positions[end], axis=1)
        whole = np.linalg.norm(surface.vertices[start] - surface.vertices[end], axis=1)
        covered[np.flatnonzero(covered)[flat > _TORN * whole + 1e-4]] = False
    return covered
