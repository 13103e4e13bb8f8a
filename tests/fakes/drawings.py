"""Drawings with detail, for tests that need key points: dark enough for `dark_detector`."""

from __future__ import annotations

import numpy as np

from chassis.geometry import Box
from chassis.images import RGBImage, cv2
from tests.fakes.ink import skin

__all__ = ["drawing", "turned", "worn"]

_SIDE = 200


def drawing(seed: int) -> RGBImage:
    """200 x 200 pixels of discs in dark colours, others for each seed."""
    rng = np.random.default_rng(seed)
    canvas = np.full((_SIDE, _SIDE, 3), 40, np.uint8)
    for _ in range(90):
        x, y, radius = (int(value) for value in rng.integers([8, 8, 3], [192, 192, 11]))
        cv2.circle(canvas, (x, y), radius, tuple(int(value) for value in rng.integers(0, 115, 3)), -1)
    return canvas


def turned(picture: RGBImage, *, degrees: float = 30, scale: float = 0.9) -> RGBImage:
    """Turned about its middle; its edges go on outside."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    return np.asarray(
        cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def worn(picture: RGBImage, box: Box) -> RGBImage:
    """640 x 480 pixels of skin with the drawing in a box."""
    canvas = skin()
    left, top, width, height = (round(value) for value in (box.x, box.y, box.width, box.height))
    canvas[top : top + height, left : left + width] = cv2.resize(picture, (width, height))
    return canvas
