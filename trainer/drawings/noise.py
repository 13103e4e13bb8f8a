"""Smooth random fields: the raw material of skin, shade, cloth and ink."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Field", "clipped", "fractal", "grain", "ramp", "shifted"]

Field = NDArray[np.floating[Any]]
"""A floating image [height, width], or [height, width, 3] in RGB; colours and opacities lie in 0..1."""


def fractal(
    rng: np.random.Generator,
    height: int,
    width: int,
    *,
    cells: int = 4,
    octaves: int = 4,
    decay: float = 0.55,
) -> Field:
    """Return [height, width] fractal value noise stretched to exactly 0..1.

    `cells` is the number of bumps along the picture in the first octave; each octave doubles it and
    multiplies its amplitude by `decay`.
    """
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        count = max(2, min(cells * 2**octave, max(height, width) // 2))
        lattice = rng.random((count, count), dtype=np.float32)
        total += decay**octave * cv2.resize(lattice, (width, height), interpolation=cv2.INTER_CUBIC)
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def ramp(rng: np.random.Generator, height: int, width: int) -> Field:
    """Return a [height, width] linear gradient 0..1 in a random direction, as light from one side gives."""
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    plane = rows * np.float32(np.sin(angle)) + columns * np.float32(np.cos(angle))
    return np.asarray((plane - plane.min()) / max(float(plane.max() - plane.min()), 1e-6), np.float32)


def grain(rng: np.random.Generator, height: int, width: int, *, size: float) -> Field:
    """Return [height, width] zero-mean noise of unit deviation whose specks are about `size` pixels wide."""
    small = rng.standard_normal((max(2, int(height / size)), max(2, int(width / size))), dtype=np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def clipped(field: Field) -> Field:
    """Return `field` held to 0..1, float32."""
    return np.clip(field, 0, 1).astype(np.float32)


def shifted(matrix: NDArray[Any], by: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return an affine `matrix` [2, 3] that moves everything by a further `by` [2] pixels, x and y."""
    moved = np.array(matrix, np.float64)
    moved[:, 2] += by
    return moved
