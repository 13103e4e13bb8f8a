"""Rays against meshes, by Embree: what each sample of a picture sees, and what lies in whose shadow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from chassis.errors import Unavailable
from trainer.studio.arrays import Bools, Floats, Ints

__all__ = ["Mesh", "Hits", "Stage", "Keep", "blended"]

_LAYERS = 6
"""A ray goes through at most this many holes of cloth and gaps of hair."""
_STEP = 2e-4
_EDGE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles with a name."""

    name: str
    vertices: Floats
    """(n, 3) metres."""
    faces: Ints
    """(m, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What rays met first."""

    mesh: Ints
    """(n,) index of the mesh on the stage, -1 for none."""
    face: Ints
    """(n,) triangle of that mesh."""
    weights: Floats
    """(n, 3) barycentric."""
    distance: Floats
    """(n,) metres."""

    def of(self, mesh: int) -> Ints:
        """Indices of the rays that met a mesh."""
        return np.flatnonzero(self.mesh == mesh)


class Keep(Protocol):
    """Says where a mesh is really there: cloth ends between vertices, hair has gaps."""

    def __call__(self, faces: Ints, weights: Floats) -> Bools:
        """Whether each hit counts; the others are gone through."""
        ...


class Stage:
    """Everything that rays can meet."""

    def __init__(self, meshes: Sequence[Mesh], keeps: Sequence[Keep | None]) -> None:
        """Raises Unavailable where the training packages are not installed."""
        try:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene
        except ImportError as exc:
            raise Unavailable("rendering needs the training packages: make train-venv") from exc
        self.meshes, self._keeps = tuple(meshes), tuple(keeps)
        self._scene = EmbreeScene()
        self._parts = [
            TriangleMesh(self._scene, m.vertices.astype(np.float32), m.faces.astype(np.int32)) for m in meshes
        ]

    def trace(self, origins: Floats, directions: Floats) -> Hits:
        """The first thing that counts along each ray; origins (n, 3) or (3,), directions (n, 3) unit."""
        starts = np.array(np.broadcast_to(origins, directions.shape), np.float32)
        found = self._once(starts, directions)
        waiting = self._passed(found, np.arange(len(directions)))
        for _ in range(_LAYERS):
            if len(waiting) == 0:
                break
            beyond = found.distance[waiting] + _STEP
            again = self._once(
                starts[waiting] + directions[waiting] * beyond[:, None], directions[waiting]
            )
            found.mesh[waiting], found.face[waiting] = again.mesh, again.face
            found.weights[waiting], found.distance[waiting] = again.weights, again.distance + beyond
            waiting = self._passed(found, waiting)
        found.mesh[waiting] = -1
        return found

    def is_blocked(self, origins: Floats, directions: Floats) -> Bools:
        """Whether anything at all lies along each ray; holes in cloth block too."""
        answer = self._scene.run(
            np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions, np.float32), query="OCCLUDED"
        )
        return np.asarray(answer >= 0)

    def sees(self, eye: Floats, points: Floats) -> Bools:
        """Whether nothing that counts lies between an eye (3,) and points (n, 3) on surfaces."""
        gap = points - eye
        distance = np.linalg.norm(gap, axis=1)
        hits = self.trace(eye, (gap / np.maximum(distance, 1e-9)[:, None]).astype(np.float32))
        return np.asarray((hits.mesh < 0) | (hits.distance > distance - _EDGE))

    def _once(self, origins: Floats, directions: Floats) -> Hits:
        answer = self._scene.run(
            np.ascontiguousarray(origins, np.float32), np.ascontiguousarray(directions, np.float32), output=True
        )
        u, v = answer["u"], answer["v"]
        return Hits(
            mesh=np.where(answer["primID"] >= 0, answer["geomID"], -1),
            face=answer["primID"],
            weights=np.stack([1 - u - v, u, v], axis=1),
            distance=answer["tfar"],
        )

    def _passed(self, found: Hits, among: Ints) -> Ints:
        """Which of these rays met what does not count."""
        passed = []
        for mesh, keep in enumerate(self._keeps):
            if keep is not None:
                here = among[found.mesh[among] == mesh]
                passed.append(here[~keep(found.face[here], found.weights[here])])
        return np.concatenate(passed) if passed else np.zeros(0, np.int64)


def blended(values: Floats, faces: Ints, face: Ints, weights: Floats) -> Floats:
    """Values of vertices, (vertices,) or (vertices, c), at points inside triangles: (n,) or (n, c) float32."""
    corners = values[faces[face]]
    if values.ndim == 1:
        return np.asarray(np.einsum("nk,nk->n", corners, weights), np.float32)
    return np.asarray(np.einsum("nkc,nk->nc", corners, weights), np.float32)
