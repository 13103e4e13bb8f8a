"""Poses of a body of known proportions, seen from anywhere: what a perfect network would report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.body.pose import Pose
from services.body.skeleton import KeyPoint

__all__ = ["BODY", "standing", "mirrored", "from_space"]

# Metres from the middle of the hips: right in the picture, down, away from the camera; seen from the front,
# so the person's left is on the right. Pairs are given once, for the left side.
_MIDDLE = {KeyPoint.NOSE: (0.0, -0.70, -0.10)}
_LEFT = {
    KeyPoint.LEFT_EYE_INNER: (0.02, -0.735, -0.09),
    KeyPoint.LEFT_EYE: (0.032, -0.735, -0.085),
    KeyPoint.LEFT_EYE_OUTER: (0.045, -0.735, -0.08),
    KeyPoint.LEFT_EAR: (0.075, -0.71, 0.0),
    KeyPoint.MOUTH_LEFT: (0.025, -0.665, -0.09),
    KeyPoint.LEFT_SHOULDER: (0.16, -0.50, 0.0),
    KeyPoint.LEFT_ELBOW: (0.24, -0.25, 0.0),
    KeyPoint.LEFT_WRIST: (0.30, -0.01, 0.0),
    KeyPoint.LEFT_PINKY: (0.33, 0.07, 0.0),
    KeyPoint.LEFT_INDEX: (0.31, 0.08, 0.0),
    KeyPoint.LEFT_THUMB: (0.28, 0.05, 0.0),
    KeyPoint.LEFT_HIP: (0.085, 0.0, 0.0),
    KeyPoint.LEFT_KNEE: (0.10, 0.41, 0.0),
    KeyPoint.LEFT_ANKLE: (0.11, 0.81, 0.0),
    KeyPoint.LEFT_HEEL: (0.11, 0.85, 0.04),
    KeyPoint.LEFT_FOOT_INDEX: (0.13, 0.87, -0.12),
}


def _body() -> NDArray[np.float64]:
    points = np.zeros((len(KeyPoint), 3))
    for key, place in _MIDDLE.items():
        points[key] = place
    for key, (x, y, z) in _LEFT.items():
        points[key] = (x, y, z)
        points[_OTHER_SIDE[key]] = (-x, y, z)
    return points


def _other_sides() -> NDArray[np.intp]:
    names = [key.name for key in KeyPoint]
    swapped = [name.replace("LEFT", "?").replace("RIGHT", "LEFT").replace("?", "RIGHT") for name in names]
    return np.array([names.index(name) for name in swapped])


_OTHER_SIDE = _other_sides()
BODY: NDArray[np.float64] = _body()
"""(33, 3) metres."""


def standing(
    *,
    yaw: float = 0.0,
    lean: float = 0.0,
    roll: float = 0.0,
    width: int = 400,
    height: int = 800,
    scale: float = 400.0,
    hips: tuple[float, float] | None = None,
    confidence: float | NDArray[np.float64] = 1.0,
    body: NDArray[np.float64] | None = None,
) -> Pose:
    """A pose seen from far away.

    yaw, lean, roll: radians: turned (pi shows the back), bent towards the camera, turned in the picture.
    scale: pixels a metre. hips: pixels, by default in the middle of the picture.
    """
    space = (BODY if body is None else body) @ (_roll(roll) @ _lean(lean) @ _yaw(yaw)).T
    return from_space(space, width=width, height=height, scale=scale, hips=hips, confidence=confidence)


def from_space(
    space: NDArray[np.float64],
    *,
    width: int = 400,
    height: int = 800,
    scale: float = 400.0,
    hips: tuple[float, float] | None = None,
    confidence: float | NDArray[np.float64] = 1.0,
) -> Pose:
    """The pose of (33, 3) key points in metres."""
    origin = np.array(hips if hips is not None else (width / 2, height * 0.5))
    return Pose(
        points=space[:, :2] * scale + origin,
        confidence=np.full(len(KeyPoint), 1.0) * confidence,
        world=space.copy(),
        presence=1.0,
        width=width,
        height=height,
    )


def mirrored(pose: Pose) -> Pose:
    """The pose in the mirrored picture: left and right change names as well as places."""
    points, world = pose.points[_OTHER_SIDE], pose.world[_OTHER_SIDE]
    return Pose(
        points=np.stack([pose.width - points[:, 0], points[:, 1]], axis=1),
        confidence=pose.confidence[_OTHER_SIDE],
        world=world * np.array([-1.0, 1.0, 1.0]),
        presence=pose.presence,
        width=pose.width,
        height=pose.height,
    )


def _yaw(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def _lean(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


def _roll(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
