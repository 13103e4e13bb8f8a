"""Views of one tattoo, from a drawing alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.drawings.skin import skin_tone
from trainer.embedder.flat import FLAT_SIDE, Flat
from trainer.learning.camera import worn

__all__ = ["any_tone", "flat_view"]

Pixels = NDArray[np.uint8]

_FULL_CIRCLE_SHARE = 0.35
_PARTIAL_SHARE = 0.35
_LEAST_PART = 0.4
_COARSE_SHARE = 0.3
_FEWEST_PIXELS = 16
_SOFT_SHARE = 0.3
# Of the side: a tattoo so far out of focus is still known by its masses.
_SOFTEST = 0.035


def flat_view(rng: np.random.Generator, flat: Flat, side: int, tone: NDArray[np.floating]) -> Pixels:
    """A crop, uint8 RGB [side, side, 3], of the drawing worn on skin of a tone [3], 0..1."""
    skin = _skin(rng, side, tone)
    matrix = _placed(rng, side)
    drawing = (
        np.asarray(cv2.warpPerspective(flat, matrix, (side, side), flags=cv2.INTER_AREA), np.float32) / 255
    )
    opacity = drawing[..., 3:] * rng.uniform(0.55, 1.0) * _wear(rng, side)
    light = skin.mean(axis=2, keepdims=True) / max(float(skin.mean()), 0.05)
    ink = np.minimum(drawing[..., :3] * light * rng.uniform(0.6, 1.1), skin * 1.05)
    worn_on = skin + (ink - skin) * opacity
    if rng.random() < 0.25:
        _cover(rng, worn_on)
    pixels = np.clip(worn_on * 255, 0, 255).astype(np.uint8)
    crop = _coarse(rng, _stretched(_part(rng, pixels), side))
    return worn(rng, crop, strength=float(rng.uniform(0.2, 0.85)))


def any_tone(rng: np.random.Generator) -> NDArray[np.floating]:
    """The colour of somebody's skin."""
    return np.asarray(skin_tone(rng), np.float32).reshape(-1)[:3]


def _skin(rng: np.random.Generator, side: int, tone: NDArray[np.floating]) -> NDArray[np.float32]:
    """Uneven, rounded, in a light of its own."""
    patches = cv2.resize(
        rng.normal(0, 1, (5, 5, 3)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
    )
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle) + rng.normal(0, 0.3)
    shade = 1 - rng.uniform(0, 0.5) * np.clip(np.abs(across), 0, 1.4) ** 2
    grain = rng.normal(0, 0.012, (side, side, 1))
    skin = np.asarray(tone, np.float32) * shade[..., None] * (1 + 0.03 * patches) + grain
    return np.asarray(np.clip(skin, 0.02, 1), np.float32)


def _placed(rng: np.random.Generator, side: int) -> NDArray[np.float64]:
    """A perspective map from the drawing to the crop: turned, stretched, foreshortened, off its middle."""
    turn = rng.uniform(0, 2 * np.pi) if rng.random() < _FULL_CIRCLE_SHARE else rng.normal(0, np.radians(18))
    stretch = np.exp(rng.normal(0, 0.22))
    scale = side / FLAT_SIDE * rng.uniform(0.72, 1.12)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = np.diag([stretch, 1 / stretch]) @ linear
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * FLAT_SIDE / 2
    seen = corners @ linear.T + side / 2 + rng.normal(0, 0.05 * side, 2) + rng.normal(0, 0.05 * side, (4, 2))
    matrix = cv2.getPerspectiveTransform(
        (corners + FLAT_SIDE / 2).astype(np.float32), seen.astype(np.float32)
    )
    return np.asarray(matrix, np.float64)


def _wear(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """Ink that has faded more in some places, [side, side, 1]."""
    coarse = rng.uniform(1 - rng.uniform(0, 0.5), 1, (6, 6)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)[..., None]


def _cover(rng: np.random.Generator, picture: NDArray[np.float32]) -> None:
    """Something before it: an edge of the limb or cloth from one side, in place."""
    side = len(picture)
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.35) * side
    y, x = np.mgrid[:side, :side] - side / 2
    hidden = x * np.cos(angle) + y * np.sin(angle) > side / 2 - reach
    picture[hidden] = rng.uniform(0, 1, 3)


def _part(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Now and then only a part of it, `_LEAST_PART` of the area or more."""
    if rng.random() > _PARTIAL_SHARE:
        return pixels
    share = np.sqrt(rng.uniform(_LEAST_PART, 1.0))
    aspect = np.exp(rng.normal(0, 0.15))
    height, width = (
        int(np.clip(length * part, 8, length))
        for length, part in zip(pixels.shape[:2], (share * aspect, share / aspect), strict=True)
    )
    top = int(rng.integers(0, pixels.shape[0] - height + 1))
    left = int(rng.integers(0, pixels.shape[1] - width + 1))
    return pixels[top : top + height, left : left + width]


def _coarse(rng: np.random.Generator, pixels: Pixels) -> Pixels:
    """Now and then as far away as a tattoo of few pixels, or out of focus."""
    kind, side = rng.random(), len(pixels)
    if kind < _SOFT_SHARE:
        sigma = side * float(np.exp(rng.uniform(np.log(0.004), np.log(_SOFTEST))))
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)
    if kind > _SOFT_SHARE + _COARSE_SHARE:
        return pixels
    few = int(np.exp(rng.uniform(np.log(_FEWEST_PIXELS), np.log(side))))
    small = cv2.resize(pixels, (few, few), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def _stretched(pixels: Pixels, side: int) -> Pixels:
    method = cv2.INTER_AREA if max(pixels.shape[:2]) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=method), np.uint8)
