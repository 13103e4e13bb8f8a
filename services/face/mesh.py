"""The face mesh's input and output: 468 points in space, and whether there is a face at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box
from chassis.images import RGBImage
from services.face.detector import Detection
from services.face.picture import Square

__all__ = [
    "INPUT_SIDE",
    "POINTS",
    "FaceMesh",
    "mesh_input",
    "decode_mesh",
    "square_of_detection",
    "square_of_mesh",
]

INPUT_SIDE = 192
"""Width and height of the network's input, pixels."""
POINTS = 468
"""Points of the mesh."""
# The square that the network looks at is this much larger than the face: the margin it was trained with.
_MARGIN = 1.5
_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER = 33, 263
_LARGEST_LOGIT = 80.0


@dataclass(frozen=True, slots=True)
class FaceMesh:
    """A face's surface, in pixels of the picture."""

    points: NDArray[np.float64]
    """(468, 3): x, y, and z away from the camera in the same unit; z is relative to the head's centre. Of a
    head that leans, x and y are as in the picture."""
    presence: float
    """How sure the network is that it was shown a face, 0..1."""

    @property
    def box(self) -> Box:
        """The least upright box around the points: forehead to chin, ear to ear."""
        low, high = self.points[:, :2].min(axis=0).tolist(), self.points[:, :2].max(axis=0).tolist()
        return Box.from_corners(low[0], low[1], high[0], high[1])

    @property
    def roll(self) -> float:
        """Radians by which the head leans clockwise in the picture, by the line through the eyes."""
        across = self.points[_LEFT_EYE_OUTER] - self.points[_RIGHT_EYE_OUTER]
        return float(np.arctan2(across[1], across[0]))


def square_of_detection(detection: Detection) -> Square:
    """Where the network has to look for the mesh of a detected face."""
    center, box = detection.box.center, detection.box
    return Square(center.x, center.y, max(box.width, box.height) * _MARGIN, detection.roll)


def square_of_mesh(mesh: FaceMesh) -> Square:
    """Where the network has to look for a better mesh of the same face: upright and centred by the first."""
    roll = mesh.roll
    axes = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    upright = mesh.points[:, :2] @ axes.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = ((low + high) / 2 @ axes).tolist()
    return Square(x, y, float((high - low).max()) * _MARGIN, roll)


def mesh_input(crops: Iterable[RGBImage]) -> NDArray[np.float32]:
    """Crops of 192 x 192 as the network's batch: float32 (n, 192, 192, 3), 0..1."""
    return np.stack(list(crops)).astype(np.float32) / np.float32(255)


def decode_mesh(landmarks: NDArray[np.float32], presence_logit: float, square: Square) -> FaceMesh:
    """The mesh of one crop: `landmarks` (468, 3) in input pixels, `presence_logit` its log odds."""
    values = landmarks.astype(np.float64)
    flat = square.to_picture(values[:, :2], INPUT_SIDE)
    depth = values[:, 2] * (square.side / INPUT_SIDE)
    bounded = np.clip(presence_logit, -_LARGEST_LOGIT, _LARGEST_LOGIT)
    return FaceMesh(points=np.column_stack([flat, depth]), presence=float(1 / (1 + np.exp(-bounded))))
