"""A decoded picture from which crops of any scale and turn are taken without skipping pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from chassis.images import RGBImage, cv2

__all__ = ["Picture", "Square"]

# A crop samples the picture directly down to this scale; below it, a halved copy is sampled instead, because
# bilinear sampling looks at four pixels only and would skip the others.
_LEAST_SCALE = 0.5


@dataclass(frozen=True, slots=True)
class Square:
    """A square part of a picture, possibly turned and possibly reaching beyond the edges."""

    x: float
    """Centre, pixels from the left."""
    y: float
    """Centre, pixels from the top."""
    side: float
    """Pixels of the picture, above 0."""
    angle: float = 0.0
    """Radians by which the content is turned clockwise in the picture; the crop shows it upright."""

    def matrix(self, size: int) -> NDArray[np.float64]:
        """The (2, 3) affine map from the picture's pixels to those of a crop of `size` x `size`."""
        scale = size / self.side
        linear = _rotation(-self.angle) * scale
        shift = size / 2 - linear @ np.array([self.x, self.y])
        return np.column_stack([linear, shift])

    def to_picture(self, points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
        """Points (..., 2) in pixels of a crop of `size` x `size`, as pixels of the picture."""
        centered = (points - size / 2) * (self.side / size)
        return np.asarray(centered @ _rotation(self.angle).T + np.array([self.x, self.y]))


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright RGB picture and, once asked for, halved copies of it; safe to use from many threads."""

    pixels: RGBImage
    _levels: list[RGBImage] = field(default_factory=list, repr=False, compare=False)
    _halving: Lock = field(default_factory=Lock, repr=False, compare=False)

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.pixels.shape[0])

    def warp(self, matrix: NDArray[np.float64], size: int, *, is_smooth: bool = False) -> RGBImage:
        """The crop of `size` x `size` that the (2, 3) affine `matrix` maps to; black beyond the edges.

        `is_smooth`: interpolate by cubes, which keeps more of a small face's detail; else linearly, faster.
        """
        level = self._level(matrix)
        scale_x, scale_y = level.shape[1] / self.width, level.shape[0] / self.height
        mapped = matrix @ _from_level(scale_x, scale_y)
        flags = cv2.INTER_CUBIC if is_smooth else cv2.INTER_LINEAR
        crop = cv2.warpAffine(level, mapped, (size, size), flags=flags)
        return np.asarray(crop, dtype=np.uint8)

    def cut(self, square: Square, size: int) -> RGBImage:
        """The crop of `size` x `size` that shows `square`."""
        return self.warp(square.matrix(size), size)

    def _level(self, matrix: NDArray[np.float64]) -> RGBImage:
        """The most reduced copy that still has at least as many pixels as the crop wants."""
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        number = 0
        while scale < _LEAST_SCALE and min(self._copy(number).shape[:2]) > 1:
            scale, number = scale * 2, number + 1
        return self._copy(number)

    def _copy(self, number: int) -> RGBImage:
        """The picture halved `number` times."""
        with self._halving:
            if not self._levels:
                self._levels.append(self.pixels)
            while len(self._levels) <= number:
                self._levels.append(_halved(self._levels[-1]))
            return self._levels[number]


def _halved(pixels: RGBImage) -> RGBImage:
    size = ((pixels.shape[1] + 1) // 2, (pixels.shape[0] + 1) // 2)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _rotation(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _from_level(scale_x: float, scale_y: float) -> NDArray[np.float64]:
    """The (3, 3) map from a reduced copy's pixels to the picture's; pixel centres lie at whole numbers."""
    return np.array(
        [
            [1 / scale_x, 0.0, 0.5 / scale_x - 0.5],
            [0.0, 1 / scale_y, 0.5 / scale_y - 0.5],
            [0.0, 0.0, 1.0],
        ]
    )
