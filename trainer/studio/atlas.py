"""The committed map of the body: which triangle lies in which region, on a neutral adult at rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from services.body.region_names import Region
from trainer.studio.arrays import Bools, Floats, Ints, unit

__all__ = ["Atlas", "load_atlas", "vertex_normals", "limb_axis"]

_LIMBS: Mapping[str, tuple[str, str]] = {
    "SHOULDER": ("lowerarm01", "upperarm01"),
    "UPPER_ARM": ("lowerarm01", "upperarm01"),
    "FOREARM": ("wrist", "lowerarm01"),
    "HAND_OR_WRIST": ("finger3-1", "wrist"),
    "THIGH": ("lowerleg01", "upperleg01"),
    "LOWER_LEG": ("foot", "lowerleg01"),
    "FOOT_OR_ANKLE": ("toe3-1", "foot"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """The neutral body and its regions; every other body has the same triangles."""

    faces: Ints
    """(27420, 3) vertices of each triangle."""
    vertices: Floats
    """(13718, 3) metres, at rest: x to the person's left, y backwards, z up."""
    joints: Mapping[str, Floats]
    """By bone, where it begins, (3,) metres."""
    regions: Ints
    """(27420,) `Region` of each triangle."""
    eyes: Bools
    """(13718,) whether a vertex is of an eyeball."""

    def faces_of(self, region: Region) -> Ints:
        """Indices of a region's triangles."""
        return np.flatnonzero(self.regions == int(region))


@cache
def load_atlas() -> Atlas:
    """The map, read once a process."""
    path = resources.files("trainer.studio") / "body.npz"
    with path.open("rb") as stream, np.load(stream) as stored:
        heads = stored["heads"].astype(np.float32)
        return Atlas(
            faces=stored["faces"].astype(np.int32),
            vertices=stored["vertices"].astype(np.float32),
            joints=dict(zip(stored["labels"].tolist(), heads, strict=True)),
            regions=stored["regions"],
            eyes=stored["eyes"],
        )


def vertex_normals(vertices: Floats, faces: Ints) -> Floats:
    """(n, 3) unit normals, the mean of the triangles around each vertex weighted by area."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    sums = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(across[:, axis], 3), minlength=len(vertices))
            for axis in range(3)
        ],
        axis=1,
    )
    return unit(sums.astype(np.float64)).astype(np.float32)


def limb_axis(region: Region, joints: Mapping[str, Floats]) -> Floats:
    """The direction that counts as up on a region, (3,): to the trunk on limbs, else to the head."""
    side = ".L" if region.name.startswith("LEFT") else ".R"
    for name, (start, end) in _LIMBS.items():
        if region.name.endswith(name):
            return unit(np.asarray(joints[end + side] - joints[start + side], np.float64))
    return np.array([0.0, 0.0, 1.0], np.float32)
