"""The squares of a picture that the pose detector looks at.

The whole picture, and of a large landscape picture also overlapping squares of its full height side by side:
in the whole, people of a wide scene are too small for the network's 224 pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.images import RGBImage, cv2

__all__ = ["INPUT_SIDE", "MOST_FRAMES", "Frame", "frames_of", "prepare"]

INPUT_SIDE = 224
"""Width and height of the network's input, pixels."""
MOST_FRAMES = 5
"""Of one picture: the whole and four squares."""

# From this width to height on, squares show people notably larger than the whole picture does.
_LANDSCAPE = 1.3


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of a picture, and how it lies in the network's square input.

    `input = (picture - (x, y)) * scale + (left, top)`, pixels.
    """

    x: int
    y: int
    width: int
    height: int
    scale: float
    left: float
    top: float

    def to_picture(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Input pixels, (..., 2), as pixels of the picture."""
        inside = (points - np.array([self.left, self.top])) / self.scale
        moved: NDArray[np.float64] = inside + np.array([self.x, self.y])
        return moved


def frames_of(width: int, height: int) -> list[Frame]:
    """The whole picture first, then squares from left to right; sizes in pixels."""
    whole = _frame(0, width, height)
    if width < _LANDSCAPE * height or height <= INPUT_SIDE:
        return [whole]
    count = min(MOST_FRAMES - 1, math.ceil(width / height))
    lefts = np.linspace(0, width - height, count).round().astype(int).tolist()
    return [whole, *(_frame(left, height, height) for left in lefts)]


def prepare(picture: RGBImage) -> tuple[NDArray[np.float32], list[Frame]]:
    """The network's inputs, float32 (n, 224, 224, 3) in -1..1, each centred on black, and what they are."""
    frames = frames_of(picture.shape[1], picture.shape[0])
    return np.stack([_input(picture, frame) for frame in frames]), frames


def _frame(x: int, width: int, height: int) -> Frame:
    scale = INPUT_SIDE / max(width, height)
    left, top = ((INPUT_SIDE - inner) // 2 for inner in _inner_size(width, height, scale))
    return Frame(x=x, y=0, width=width, height=height, scale=scale, left=left, top=top)


def _inner_size(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))


def _input(picture: RGBImage, frame: Frame) -> NDArray[np.float32]:
    part = picture[frame.y : frame.y + frame.height, frame.x : frame.x + frame.width]
    inner = _inner_size(frame.width, frame.height, frame.scale)
    # Averaging keeps what plain sampling of a large picture would lose; for enlarging it is linear.
    method = cv2.INTER_AREA if frame.scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(part, inner, interpolation=method)
    tensor = np.full((INPUT_SIDE, INPUT_SIDE, 3), -1.0, np.float32)
    left, top = int(frame.left), int(frame.top)
    tensor[top : top + inner[1], left : left + inner[0]] = small.astype(np.float32) / 127.5 - 1.0
    return tensor
