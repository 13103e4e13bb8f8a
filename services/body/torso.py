"""The torso as a sheet over the picture: from the right side to the left, from the shoulders to the hips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.body.outline import Outline, across, hull, unit
from services.body.pose import Pose
from services.body.skeleton import KeyPoint
from services.body.view import View

__all__ = ["Torso", "torso_of"]

# Metres. The hips' key points are the joints, deep inside: the body is wider there than between them.
_LEAST_SHOULDERS = 0.20
_LEAST_HIPS = 0.22
_HIP_FLESH = 1.55
# Share of the width that the side of the torso takes when seen from the front.
_SIDE_FROM_FRONT = 0.18


@dataclass(frozen=True, slots=True, eq=False)
class Torso:
    """Four corners, (2,) pixels each, and the columns where the sides of the torso begin."""

    right_shoulder: NDArray[np.float64]
    left_shoulder: NDArray[np.float64]
    right_hip: NDArray[np.float64]
    left_hip: NDArray[np.float64]
    right_side: float
    """Columns below this one show the right side, 0..1."""
    left_side: float
    """Columns above this one show the left side, 0..1, at least `right_side`."""

    def place(self, column: float, row: float) -> NDArray[np.float64]:
        """(2,) pixels. Column 0 is the person's right edge, 1 the left; row 0 the shoulders, 1 the hips."""
        top = self.right_shoulder * (1 - column) + self.left_shoulder * column
        bottom = self.right_hip * (1 - column) + self.left_hip * column
        return top * (1 - row) + bottom * row

    def patch(self, columns: tuple[float, float], rows: tuple[float, float]) -> Outline:
        """The outline between two columns and two rows, which may lie outside 0..1."""
        return hull([self.place(column, row) for row in rows for column in columns])


def torso_of(pose: Pose, view: View, scale: float) -> Torso:
    """The torso of a pose; `scale` is in pixels a metre. In profile it is as wide as a body is deep."""
    shoulders = (KeyPoint.RIGHT_SHOULDER, KeyPoint.LEFT_SHOULDER)
    hips = (KeyPoint.RIGHT_HIP, KeyPoint.LEFT_HIP)
    axis = unit(pose.middle(hips) - pose.middle(shoulders))
    right_shoulder, left_shoulder = _edge(pose, shoulders, axis, 1.0, _LEAST_SHOULDERS * scale)
    right_hip, left_hip = _edge(pose, hips, axis, _HIP_FLESH, _LEAST_HIPS * scale)
    right_side, left_side = _sides(view)
    return Torso(right_shoulder, left_shoulder, right_hip, left_hip, right_side, left_side)


def _edge(
    pose: Pose,
    keys: tuple[KeyPoint, KeyPoint],
    axis: NDArray[np.float64],
    flesh: float,
    least_width: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The right and the left end of the line through two joints, widened to the body's edge."""
    middle, span = pose.middle(keys), pose.point(keys[1]) - pose.point(keys[0])
    width = float(np.linalg.norm(span)) * flesh
    half = span * flesh / 2
    if width < least_width:
        # Too narrow to trust its direction: at a right angle to the torso, on the side the joints say.
        side = across(axis)
        half = side * (least_width / 2) * (1.0 if side @ span >= 0 else -1.0)
    return middle - half, middle + half


def _sides(view: View) -> tuple[float, float]:
    """Columns where the sides begin: the one turned to the camera grows, the other one goes."""
    right, left = (_side_share(toward) for toward in (-view.left, view.left))
    return right, max(right, 1.0 - left)


def _side_share(toward: float) -> float:
    if toward <= 0:
        return _SIDE_FROM_FRONT * max(0.0, 1 + 2 * toward)
    return _SIDE_FROM_FRONT + (1 - _SIDE_FROM_FRONT) * toward**2
