"""Rays against meshes, by Embree: what each sample of a picture sees, and what lies in whose shadow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chassis.errors import Unavailable
from trainer.studio.arrays import Bools, Floats, Ints
from trainer.studio.tessellation import on_coarse, refined

__all__ = ["Mesh", "Hits", "Stage", "Keep", "blended"]

_LAYERS = 6
"""A ray goes through at most this many holes of cloth and gaps of hair."""
_STEP = 2e-4
_EDGE = 5e-3


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles with a name."""

    name: str
    vertices: Floats
    """(n, 3) metres."""
    faces: Ints
    """(m, 3)."""
    normals: Floats | None = None
    """(n, 3) of a mesh that is round between its vertices."""


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


Keep = Callable[[Ints, Floats], Bools]
"""Whether a mesh is really there at points of its triangles: cloth ends between vertices, hair has gaps."""


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
        self._round = np.array([mesh.normals is not None for mesh in meshes])
        self._parts = [TriangleMesh(self._scene, *_triangles(mesh)) for mesh in meshes]

    def trace(self, origins: Floats, directions: Floats) -> Hits:
        """The first thing that counts along each ray; origins (n, 3) or (3,), directions (n, 3) unit."""
        starts = np.array(np.broadcast_to(origins, directions.shape), np.float32)
        found = self._once(starts, directions)
        waiting = self._passed(found, np.arange(len(directions)))
        for _ in range(_LAYERS):
            if len(waiting) == 0:
                break
            beyond = found.distance[waiting] + _STEP
            again = self._once(starts[waiting] + directions[waiting] * beyond[:, None], directions[waiting])
            found.mesh[waiting], found.face[waiting] = again.mesh, again.face
            found.weights[waiting], found.distance[waiting] = again.weights, again.distance + beyond
            waiting = self._passed(found, waiting)
        found.mesh[waiting] = -1
        return found

    def is_blocked(self, origins: Floats, directions: Floats) -> Bools:
        """Whether anything at all lies along each ray; holes in cloth block too."""
        answer = self._scene.run(
            np.ascontiguousarray(origins, np.float32),
            np.ascontiguousarray(directions, np.float32),
            query="OCCLUDED",
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
            np.ascontiguousarray(origins, np.float32),
            np.ascontiguousarray(directions, np.float32),
            output=True,
        )
        u, v = answer["u"], answer["v"]
        mesh = np.where(answer["primID"] >= 0, answer["geomID"], -1).astype(np.int32)
        face, weights = answer["primID"].copy(), np.stack([1 - u - v, u, v], axis=1)
        fine = np.flatnonzero((mesh >= 0) & self._round[mesh])
        face[fine], weights[fine] = on_coarse(face[fine], weights[fine])
        return Hits(mesh, face, weights, answer["tfar"])

    def _passed(self, found: Hits, among: Ints) -> Ints:
        """Which of these rays met what does not count."""
        passed = []
        for mesh, keep in enumerate(self._keeps):
            if keep is not None:
                here = among[found.mesh[among] == mesh]
                passed.append(here[~keep(found.face[here], found.weights[here])])
        return np.concatenate(passed) if passed else np.zeros(0, np.int64)


def _triangles(mesh: Mesh) -> tuple[Floats, Ints]:
    if mesh.normals is None:
        return mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32)
    return refined(mesh.vertices, mesh.faces, mesh.normals)


def blended(values: Floats, faces: Ints, face: Ints, weights: Floats) -> Floats:
    """Values of vertices, (vertices,) or (vertices, c), at points of triangles: (n,) or (n, c), float32."""
    corners = faces[face]
    values = values.astype(np.float32, copy=False)
    shares = weights.T if values.ndim == 1 else weights.T[..., None]
    whole = values[corners[:, 0]] * shares[0]
    whole += values[corners[:, 1]] * shares[1]
    whole += values[corners[:, 2]] * shares[2]
    return np.asarray(whole, np.float32)
