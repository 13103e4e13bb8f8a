"""Drawn people, whole: the same pixels everywhere, and enough of a body for pose networks to find it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["figure", "scene", "FIGURE_SIZE"]

FIGURE_SIZE = (240, 480)
"""Width and height of a drawn person at scale 1, pixels."""

_HIPS = 250.0
_Color = tuple[int, int, int]
_SKIN: _Color = (214, 164, 138)
_SHIRT: _Color = (70, 95, 150)
_TROUSERS: _Color = (50, 50, 60)
_HAIR: _Color = (60, 40, 30)
_SHOES: _Color = (35, 30, 30)
_WHITE: _Color = (245, 245, 245)
_DARK: _Color = (40, 30, 25)

# Tapered limbs: (x, y, radius) of both ends, and the color; painted in this order, in pixels at scale 1.
_LIMBS: tuple[tuple[tuple[float, float, float], tuple[float, float, float], _Color], ...] = (
    ((105, 440, 9), (92, 452, 8), _SHOES),
    ((135, 440, 9), (148, 452, 8), _SHOES),
    ((103, 262, 21), (104, 350, 15), _TROUSERS),
    ((137, 262, 21), (136, 350, 15), _TROUSERS),
    ((104, 350, 15), (104, 436, 9), _TROUSERS),
    ((136, 350, 15), (136, 436, 9), _TROUSERS),
    ((120, 96, 12), (120, 120, 15), _SKIN),
    ((92, 132, 17), (102, 240, 24), _SHIRT),
    ((148, 132, 17), (138, 240, 24), _SHIRT),
    ((120, 130, 20), (120, 250, 26), _SHIRT),
    ((82, 134, 15), (66, 192, 12), _SHIRT),
    ((158, 134, 15), (174, 192, 12), _SHIRT),
    ((66, 192, 11), (54, 244, 8), _SKIN),
    ((174, 192, 11), (186, 244, 8), _SKIN),
    ((54, 246, 9), (50, 264, 8), _SKIN),
    ((186, 246, 9), (190, 264, 8), _SKIN),
    ((120, 62, 29), (120, 66, 30), _HAIR),
    ((120, 68, 24), (120, 84, 20), _SKIN),
    ((110, 68, 4.5), (111, 68, 4.5), _WHITE),
    ((129, 68, 4.5), (130, 68, 4.5), _WHITE),
    ((110.5, 68, 2.5), (110.5, 68.5, 2.5), _DARK),
    ((129.5, 68, 2.5), (129.5, 68.5, 2.5), _DARK),
    ((105, 61, 1.6), (115, 60, 1.6), _HAIR),
    ((125, 60, 1.6), (135, 61, 1.6), _HAIR),
    ((120, 70, 2), (120, 79, 4), (200, 146, 122)),
    ((113, 90, 2), (127, 90, 2), (170, 80, 80)),
)


def figure(
    pixels: NDArray[np.float64], *, left: float, top: float, scale: float = 1.0, legs: float = 1.0
) -> None:
    """Paint a person, facing us, over float RGB pixels (height, width, 3); `legs` makes their legs longer."""
    height, width = pixels.shape[:2]
    x = (np.arange(width, dtype=np.float64) + 0.5 - left) / scale
    y = (np.arange(height, dtype=np.float64) + 0.5 - top) / scale
    y = np.where(y > _HIPS, _HIPS + (y - _HIPS) / legs, y)
    for start, end, color in _LIMBS:
        columns, rows = (_near(places, start, end, axis, 1 / scale) for axis, places in enumerate((x, y)))
        part = pixels[rows, columns]
        cover, shade = _limb(x[None, columns], y[rows, None], start, end, scale)
        part += cover[..., None] * (np.array(color) * shade[..., None] - part)


def scene(
    width: int, height: int, *people: tuple[float, float, float], legs: float = 1.0
) -> NDArray[np.uint8]:
    """RGB pixels (height, width, 3): people at (left, top, scale) before a lit wall, with a little noise."""
    y, x = (np.mgrid[0:height, 0:width] + 0.5) / np.array([height, width])[:, None, None]
    pixels = np.stack([150 + 60 * x, 160 + 50 * y, 175 - 40 * x], axis=-1)
    for left, top, scale in people:
        figure(pixels, left=left, top=top, scale=scale, legs=legs)
    noise = np.random.default_rng(7).normal(0, 3, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def _near(
    places: NDArray[np.float64],
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    axis: int,
    pixel: float,
) -> slice:
    """The pixels along an axis that a limb may touch."""
    low = min(point[axis] - point[2] for point in (start, end)) - pixel
    high = max(point[axis] + point[2] for point in (start, end)) + pixel
    return slice(*np.searchsorted(places, (low, high)).tolist())


def _limb(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    scale: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of each pixel that a tapered, rounded limb covers, and how light it is there."""
    (ax, ay, first), (bx, by, last) = start, end
    dx, dy = bx - ax, by - ay
    along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
    radius = first + along * (last - first)
    across = np.hypot(x - ax - along * dx, y - ay - along * dy)
    cover = np.clip((radius - across) * scale + 0.5, 0, 1)
    shade = 1.05 - 0.35 * np.clip(across / radius, 0, 1) ** 2
    return cover, shade
