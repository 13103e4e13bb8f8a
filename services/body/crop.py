"""The upright square around one person that the landmark network looks at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box
from chassis.images import RGBImage, cv2
from services.body.detector import Detection

__all__ = ["INPUT_SIDE", "Crop", "around", "cut"]

INPUT_SIDE = 256
"""Width and height of the landmark network's input, pixels."""

# The square is this much wider than the circle around the body: the margin the network was trained with.
_MARGIN = 1.25
# Larger reductions are averaged first; sampling alone would skip pixels.
_LARGEST_STEP = 2.0


@dataclass(frozen=True, slots=True)
class Crop:
    """A rotated square of the picture."""

    x: float
    """Centre, pixels from the left."""
    y: float
    """Centre, pixels from the top."""
    side: float
    """Pixels of the picture, above 0."""
    angle: float
    """Radians by which the person leans clockwise in the picture; the crop shows them upright."""

    @property
    def scale(self) -> float:
        """Pixels of the crop a pixel of the picture."""
        return INPUT_SIDE / self.side

    def matrix(self) -> NDArray[np.float64]:
        """The (2, 3) affine map from pixels of the picture to pixels of the crop."""
        cos, sin = np.cos(self.angle) * self.scale, np.sin(self.angle) * self.scale
        linear = np.array([[cos, sin], [-sin, cos]])
        shift = INPUT_SIDE / 2 - linear @ np.array([self.x, self.y])
        return np.concatenate([linear, shift[:, None]], axis=1)

    def to_picture(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels of the crop, (n, 2), as pixels of the picture."""
        centered: NDArray[np.float64] = (points - INPUT_SIDE / 2) / self.scale
        turned: NDArray[np.float64] = self.rotated(centered) + np.array([self.x, self.y])
        return turned

    def rotated(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Directions in the crop, (n, 2), as directions in the picture."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned: NDArray[np.float64] = vectors @ np.array([[cos, sin], [-sin, cos]])
        return turned

    def bounds(self, width: int, height: int) -> Box:
        """The upright box around the square, cut by a picture of that size."""
        half = self.side / 2 * (abs(np.cos(self.angle)) + abs(np.sin(self.angle)))
        square = Box(self.x - half, self.y - half, 2 * half, 2 * half)
        return square.intersection(Box(0, 0, width, height))


def around(detection: Detection) -> Crop:
    """The crop around a detected person."""
    across = detection.rim.x - detection.hips.x
    upwards = detection.hips.y - detection.rim.y
    return Crop(
        x=detection.hips.x,
        y=detection.hips.y,
        side=max(1.0, 2 * detection.radius * _MARGIN),
        angle=float(np.arctan2(across, upwards)),
    )


def cut(picture: RGBImage, crop: Crop) -> NDArray[np.float32]:
    """The landmark network's input: float32 (256, 256, 3) in 0..1.

    Where the picture ends its edge goes on, as in MediaPipe: black there moves the points that are visible.
    """
    reduced, matrix = _reduced(picture, crop)
    size = (INPUT_SIDE, INPUT_SIDE)
    pixels = cv2.warpAffine(reduced, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return pixels.astype(np.float32) / 255.0


def _reduced(picture: RGBImage, crop: Crop) -> tuple[RGBImage, NDArray[np.float64]]:
    """The part of the picture under the crop, averaged down near the crop's size, and the map from it."""
    matrix = crop.matrix()
    step = math.ceil(1 / (crop.scale * _LARGEST_STEP))
    if step == 1:
        return picture, matrix
    height, width = picture.shape[:2]
    bounds = crop.bounds(width, height)
    left, top = int(bounds.x), int(bounds.y)
    columns = (int(np.ceil(bounds.right)) - left) // step
    rows = (int(np.ceil(bounds.bottom)) - top) // step
    if columns < 1 or rows < 1:
        return picture, matrix
    part = picture[top : top + rows * step, left : left + columns * step]
    small = np.asarray(cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    # A pixel of the small picture is the middle of step x step pixels of the large one.
    offset = np.array([left, top]) + (step - 1) / 2
    return small, np.concatenate([matrix[:, :2] * step, (matrix[:, 2] + matrix[:, :2] @ offset)[:, None]], 1)
