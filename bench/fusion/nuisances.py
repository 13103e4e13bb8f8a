"""What spoils a picture: one of them is drawn for a picture, and spoils its face and its tattoo alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CLEAR", "NUISANCES", "Pixels", "nuisance_rng"]

CLEAR = "clear"
"""What nothing spoils."""

Pixels = NDArray[np.uint8]
_Rng = np.random.Generator


def _blurred(pixels: Pixels, rng: _Rng) -> Pixels:
    """Out of focus by 2% to 4% of the width."""
    sigma = rng.uniform(0.02, 0.04) * pixels.shape[1]
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), max(0.5, float(sigma))), np.uint8)


def _exposed(pixels: Pixels, rng: _Rng) -> Pixels:
    """Far too dark or too bright: gamma 2.5 to 4, either way."""
    gamma = rng.uniform(2.5, 4.0)
    gamma = gamma if rng.random() < 0.5 else 1 / gamma
    return np.clip((pixels.astype(np.float32) / 255) ** gamma * 255, 0, 255).astype(np.uint8)


def _compressed(pixels: Pixels, rng: _Rng) -> Pixels:
    """JPEG of quality 3 to 8."""
    quality = int(rng.integers(3, 9))
    is_done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert is_done, "JPEG takes any picture"
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None, "it was encoded here"
    return np.ascontiguousarray(decoded[..., ::-1], np.uint8)


def _distant(pixels: Pixels, rng: _Rng) -> Pixels:
    """Of 14% to 24% of the width, enlarged again."""
    height, width = pixels.shape[:2]
    share = rng.uniform(0.14, 0.24)
    size = max(6, round(width * share)), max(6, round(height * share))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _occluded(pixels: Pixels, rng: _Rng) -> Pixels:
    """A bar of one colour over 35% to 50% of it, from one side of its middle part."""
    height, width = pixels.shape[:2]
    covered = pixels.copy()
    share, color = rng.uniform(0.35, 0.5), rng.integers(0, 256, 3)
    # Faces fill the middle half of a portrait; crops of tattoos are covered in proportion.
    top, left = height // 4, width // 4
    if rng.random() < 0.5:
        covered[top : top + round(height * share), left // 2 : width - left // 2] = color
    else:
        covered[top // 2 : height - top // 2, left : left + round(width * share)] = color
    return covered


NUISANCES: Mapping[str, Callable[[Pixels, _Rng], Pixels]] = {
    "blur": _blurred,
    "exposure": _exposed,
    "compression": _compressed,
    "distance": _distant,
    "occlusion": _occluded,
}
"""By name: a picture, uint8 RGB, spoiled."""


def nuisance_rng(seed: int, kind: str, name: str) -> _Rng:
    """The same for the same picture, whatever else is drawn."""
    return np.random.default_rng([seed, *kind.encode(), *name.encode()])
