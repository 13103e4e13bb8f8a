"""Simple designs drawn on plain skin, for tests that need to know where the ink is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chassis.geometry import Box
from chassis.images import RGBImage, cv2

__all__ = ["DESIGNS", "skin", "tattooed"]

_SKIN = (214, 170, 145)
_INK = (24, 22, 30)

DESIGNS = ("left", "right", "top", "bottom", "ring", "corners")
"""What `tattooed` can draw: dark blocks that differ in where their light hole is."""


def skin(width: int = 640, height: int = 480) -> RGBImage:
    """Nothing but skin."""
    return np.full((height, width, 3), _SKIN, np.uint8)


def tattooed(*tattoos: tuple[str, Box], width: int = 640, height: int = 480, blur: float = 0.0) -> RGBImage:
    """Skin with designs in boxes; `blur` in pixels."""
    picture = skin(width, height)
    for design, box in tattoos:
        _draw(picture, design, box)
    return cv2.GaussianBlur(picture, (0, 0), blur).astype(np.uint8) if blur > 0 else picture


def _draw(picture: RGBImage, design: str, box: Box) -> None:
    _fill(picture, box, (0.0, 0.0, 1.0, 1.0), _INK)
    for hole in _HOLES[design]:
        _fill(picture, box, hole, _SKIN)


def _fill(picture: RGBImage, box: Box, part: tuple[float, float, float, float], color: Sequence[int]) -> None:
    """`part`: left, top, right, bottom as shares of the box."""
    left, right = (round(box.x + share * box.width) for share in part[0::2])
    top, bottom = (round(box.y + share * box.height) for share in part[1::2])
    picture[top:bottom, left:right] = color


_HOLES: dict[str, list[tuple[float, float, float, float]]] = {
    "left": [(0.1, 0.4, 0.4, 0.6)],
    "right": [(0.6, 0.4, 0.9, 0.6)],
    "top": [(0.4, 0.1, 0.6, 0.4)],
    "bottom": [(0.4, 0.6, 0.6, 0.9)],
    "ring": [(0.4, 0.4, 0.6, 0.6)],
    "corners": [(0.0, 0.0, 0.2, 0.2), (0.8, 0.8, 1.0, 1.0)],
}
