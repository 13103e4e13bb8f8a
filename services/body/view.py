"""How a person stands towards the camera, from the network's guess of the key points in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.body.pose import Pose
from services.body.skeleton import KeyPoint

__all__ = ["View", "view_of"]

_SHOULDERS = (KeyPoint.LEFT_SHOULDER, KeyPoint.RIGHT_SHOULDER)
_HIPS = (KeyPoint.LEFT_HIP, KeyPoint.RIGHT_HIP)
_SHORTEST = 1e-6


@dataclass(frozen=True, slots=True)
class View:
    """Directions of the torso; all are parts of unit vectors, -1..1.

    Front or back comes from the order of the shoulders, not from the face: the network calls a nose visible
    on people who turn their back.
    """

    front: float
    """1: the chest faces the camera, 0: seen from the side (or above), -1: the back faces the camera."""
    left: float
    """1: the person's left side faces the camera, -1: the right one."""
    across: float
    """How much of the width of shoulders and hips the picture shows, 0..1: the cosine of the turn."""
    along: float
    """How much of the torso's length the picture shows, 0..1: the cosine of its lean to the camera."""


def view_of(pose: Pose) -> View:
    """The view of the torso. Without any depth (all points equal) everything is 0."""
    world = pose.world
    shoulders = world[_SHOULDERS[0]] - world[_SHOULDERS[1]]
    hips = world[_HIPS[0]] - world[_HIPS[1]]
    across = _unit(_unit(shoulders) + _unit(hips))
    up = _unit(world[list(_SHOULDERS)].mean(axis=0) - world[list(_HIPS)].mean(axis=0))
    outwards = _unit(np.cross(across, up))
    # The third axis points away from the camera.
    return View(
        front=-float(outwards[2]),
        left=-float(across[2]),
        across=float(np.hypot(across[0], across[1])),
        along=float(np.hypot(up[0], up[1])),
    )


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    return vector / length if length > _SHORTEST else np.zeros(3)
