"""What light, lens, sensor and compression do to a picture that was never taken."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["worn"]

Pixels = NDArray[np.uint8]


def worn(rng: np.random.Generator, picture: Pixels, *, strength: float = 1.0) -> Pixels:
    """Return `picture`, uint8 RGB [height, width, 3], in another light, less sharp, noisy, compressed.

    strength: 0 leaves it as it is, 1 is what bad photographs have; each effect comes by chance.
    """
    lit = _lit(rng, picture.astype(np.float32) / np.float32(255), strength)
    blurred = _blurred(rng, lit, strength) if rng.random() < 0.4 * strength else lit
    noisy = blurred
    if rng.random() < 0.4 * strength:
        grain = rng.normal(0, rng.uniform(0.005, 0.04) * strength, blurred.shape)
        noisy = blurred + grain.astype(np.float32)
    pixels = np.clip(noisy * 255, 0, 255).astype(np.uint8)
    if rng.random() < 0.5 * strength:
        pixels = _compressed(pixels, int(rng.integers(25, 90)))
    return np.ascontiguousarray(pixels)


def _lit(rng: np.random.Generator, picture: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Gamma, gain by channel (colour of the light), saturation, a ramp of shadow."""
    gamma = np.exp(rng.normal(0, 0.25) * strength)
    gain = np.exp(rng.normal(0, 0.12) * strength + rng.normal(0, 0.06, 3) * strength)
    lit = np.clip(picture, 0, 1) ** gamma * gain
    grey = lit.mean(axis=2, keepdims=True)
    saturation = 0.0 if rng.random() < 0.08 * strength else np.exp(rng.normal(0, 0.25) * strength)
    lit = grey + (lit - grey) * saturation
    lit = (lit - 0.5) * np.exp(rng.normal(0, 0.15) * strength) + 0.5
    if rng.random() < 0.3 * strength:
        lit = lit * _ramp(rng, lit.shape[0], lit.shape[1], rng.uniform(0.2, 0.7) * strength)
    return np.asarray(lit, np.float32)


def _ramp(rng: np.random.Generator, height: int, width: int, depth: float) -> NDArray[np.float32]:
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    along = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5 + rng.normal(0, 0.3)
    return np.asarray(1 - depth * np.clip(along, 0, 1)[..., None], np.float32)


def _blurred(rng: np.random.Generator, picture: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Out of focus, or moved."""
    if rng.random() < 0.7:
        return np.asarray(
            cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 2.2) * strength)), np.float32
        )
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), float(rng.uniform(0, 180)), 1)
    turned = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
    return np.asarray(cv2.filter2D(picture, -1, turned / max(float(turned.sum()), 1e-3)), np.float32)


def _compressed(pixels: Pixels, quality: int) -> Pixels:
    is_done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert is_done, "JPEG takes any picture"
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
