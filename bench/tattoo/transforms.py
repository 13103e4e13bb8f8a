"""Further photographs of a tattoo, made of one: turned, blurred, in another light, a part of it. Seeded."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.tattoo.photographs import TattooPhotograph
from chassis.geometry import Box
from services.tattoo.crop import cut

__all__ = ["TRANSFORMS"]

Pixels = NDArray[np.uint8]

_TURN = 30.0
_PART = 0.6


def _turned(photograph: TattooPhotograph, rng: np.random.Generator) -> Pixels:
    """By 30 degrees to either side, about the tattoo; the box is that of a turned ellipse."""
    angle = _TURN * (1 if rng.random() < 0.5 else -1)
    box = photograph.main
    middle = box.center.x, box.center.y
    matrix = cv2.getRotationMatrix2D(middle, angle, 1)
    height, width = photograph.pixels.shape[:2]
    turned = cv2.warpAffine(photograph.pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    across = np.hypot(box.width * cosine, box.height * sine)
    down = np.hypot(box.width * sine, box.height * cosine)
    return cut(np.asarray(turned, np.uint8), Box(middle[0] - across / 2, middle[1] - down / 2, across, down))


def _blurred(photograph: TattooPhotograph, rng: np.random.Generator) -> Pixels:
    """By 1.5% to 3% of the tattoo's width."""
    crop = cut(photograph.pixels, photograph.main)
    sigma = rng.uniform(0.015, 0.03) * crop.shape[1]
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), max(0.5, float(sigma))), np.uint8)


def _relit(photograph: TattooPhotograph, rng: np.random.Generator) -> Pixels:
    """Brighter or darker by gamma 1.8, and in warm or cold light."""
    crop = cut(photograph.pixels, photograph.main).astype(np.float32) / 255
    gamma = 1.8 if rng.random() < 0.5 else 1 / 1.8
    warmth = rng.uniform(-0.15, 0.15)
    lit = crop**gamma * np.array([1 + warmth, 1, 1 - warmth], np.float32)
    return np.clip(lit * 255, 0, 255).astype(np.uint8)


def _part(photograph: TattooPhotograph, rng: np.random.Generator) -> Pixels:
    """60% of its area, anywhere in it."""
    crop = cut(photograph.pixels, photograph.main)
    height, width = (max(8, int(side * np.sqrt(_PART))) for side in crop.shape[:2])
    top = int(rng.integers(0, max(1, crop.shape[0] - height + 1)))
    left = int(rng.integers(0, max(1, crop.shape[1] - width + 1)))
    return crop[top : top + height, left : left + width]


TRANSFORMS: Mapping[str, Callable[[TattooPhotograph, np.random.Generator], Pixels]] = {
    "turned 30 degrees": _turned,
    "blurred": _blurred,
    "in another light": _relit,
    "60% of it": _part,
}
"""By name: the crop of a photograph's main tattoo, changed."""
