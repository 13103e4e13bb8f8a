"""Smooth noise in space: the same point of a body always looks the same."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from trainer.studio.arrays import Floats

__all__ = ["Noise"]

_SIDE = 32


class Noise:
    """Random values on a lattice, turned at random: zero mean, unit deviation, bumps of about `size`."""

    def __init__(self, rng: np.random.Generator, *, size: float) -> None:
        self._lattice = rng.standard_normal((_SIDE, _SIDE, _SIDE), dtype=np.float32) * np.float32(1.75)
        self._turn = (Rotation.random(random_state=rng.integers(2**31)).as_matrix() / size).astype(np.float32)
        self._shift = rng.uniform(0, _SIDE, 3).astype(np.float32)

    def at(self, points: Floats) -> Floats:
        """Values (n,) at points (n, 3)."""
        place = points.astype(np.float32) @ self._turn + self._shift
        return np.asarray(map_coordinates(self._lattice, place.T, order=1, mode="grid-wrap"), np.float32)
