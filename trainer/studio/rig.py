"""Bones that move a body: forward kinematics and linear blend skinning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from trainer.studio.arrays import Floats, Ints, unit

__all__ = ["Rig", "turn_between", "Motion"]

Motion = Mapping[str, Rotation]
"""By bone: how it turns about its beginning relative to its parent, in axes of the body at rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """Which bone moves which vertex."""

    labels: tuple[str, ...]
    """Names of the bones, a parent before its children."""
    parents: tuple[int, ...]
    """Index of each bone's parent; the root's is -1 or its own."""
    bones: Ints
    """(vertices, 9) bones of each vertex."""
    weights: Floats
    """(vertices, 9), each row sums to 1."""

    def index(self, label: str) -> int:
        """Of a bone by its name."""
        return self.labels.index(label)

    def placements(self, heads: Floats, motion: Motion) -> tuple[Floats, Floats]:
        """Rotations (bones, 3, 3) and shifts (bones, 3) that carry points at rest to the pose."""
        count = len(self.labels)
        turns, shifts = np.zeros((count, 3, 3)), np.zeros((count, 3))
        for bone in self._in_order():
            own = motion[self.labels[bone]].as_matrix() if self.labels[bone] in motion else np.eye(3)
            shift = heads[bone] - own @ heads[bone]
            parent = self._parent(bone)
            if parent is None:
                turns[bone], shifts[bone] = own, shift
            else:
                turns[bone] = turns[parent] @ own
                shifts[bone] = turns[parent] @ shift + shifts[parent]
        return turns, shifts

    def skinned(self, vertices: Floats, placements: tuple[Floats, Floats]) -> Floats:
        """Vertices (n, 3) carried by their bones."""
        turns, shifts = placements
        moved = np.zeros_like(vertices, dtype=np.float64)
        for slot in range(self.bones.shape[1]):
            bone, weight = self.bones[:, slot], self.weights[:, slot, None]
            moved += weight * (np.einsum("nij,nj->ni", turns[bone], vertices) + shifts[bone])
        return moved.astype(np.float32)

    def _parent(self, bone: int) -> int | None:
        # The library marks the root by a parent that is no earlier bone.
        return None if self.labels[bone] == "root" else self.parents[bone]

    def _in_order(self) -> list[int]:
        done: list[int] = []
        waiting = list(range(len(self.labels)))
        while waiting:
            ready = [b for b in waiting if (p := self._parent(b)) is None or p in done]
            done += ready
            waiting = [b for b in waiting if b not in ready]
        return done


def turn_between(start: Floats, end: Floats) -> Rotation:
    """The smallest rotation that turns one direction, (3,), to another."""
    a, b = unit(np.asarray(start, np.float64)), unit(np.asarray(end, np.float64))
    axis = np.cross(a, b)
    sine, cosine = float(np.linalg.norm(axis)), float(a @ b)
    if sine < 1e-9:
        return Rotation.identity() if cosine > 0 else Rotation.from_rotvec(np.pi * _across(a))
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine))


def _across(direction: Floats) -> Floats:
    other = np.array([1.0, 0, 0]) if abs(direction[0]) < 0.9 else np.array([0, 1.0, 0])
    return unit(np.cross(direction, other))
