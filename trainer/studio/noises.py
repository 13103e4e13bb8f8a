"""Smooth noise in space: the same point of a body always looks the same."""

from __future__ import annotations

import numpy as np

from trainer.studio.arrays import Floats

__all__ = ["Waves"]


class Waves:
    """A sum of random plane waves: about zero mean and unit deviation, bumps of about `size` metres."""

    def __init__(self, rng: np.random.Generator, *, size: float, count: int = 10) -> None:
        direction = rng.normal(0, 1, (count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        length = 2 * np.pi / size * rng.uniform(0.35, 0.8, count)
        self._waves = (direction * length[:, None]).astype(np.float32)
        self._phase = rng.uniform(0, 2 * np.pi, count).astype(np.float32)

    def at(self, points: Floats) -> Floats:
        """Values (n,) at points (n, 3)."""
        total = np.zeros(len(points), np.float32)
        for wave, phase in zip(self._waves, self._phase, strict=True):
            total += np.cos(points @ wave + phase)
        return total * np.float32(np.sqrt(2 / len(self._phase)))
