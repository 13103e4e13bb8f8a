"""Face meshes of a head whose place, size and turn are known."""

from __future__ import annotations

import numpy as np

from services.face.mesh import POINTS, FaceMesh

__all__ = ["frontal_mesh"]

# x, y, z of the points that alignment and quality use, in half widths of the face; z is away from the camera.
_NAMED = {
    33: (-0.60, -0.35, 0.10),  # eye corners, the person's right eye first
    133: (-0.22, -0.35, 0.05),
    362: (0.22, -0.35, 0.05),
    263: (0.60, -0.35, 0.10),
    1: (0.0, 0.15, -0.45),  # nose tip and base
    2: (0.0, 0.25, -0.30),
    61: (-0.34, 0.55, 0.0),  # mouth corners
    291: (0.34, 0.55, 0.0),
    10: (0.0, -1.0, 0.0),  # forehead and chin
    152: (0.0, 1.0, 0.0),
    234: (-1.0, 0.0, 0.35),  # cheeks
    454: (1.0, 0.0, 0.35),
}


def frontal_mesh(
    *,
    x: float,
    y: float,
    side: float,
    roll: float = 0.0,
    yaw: float = 0.0,
    pitch: float = 0.0,
    presence: float = 1.0,
) -> FaceMesh:
    """A face of `side` pixels at (x, y), turned by `yaw`, nodding by `pitch`, leaning by `roll`: radians."""
    around = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
    points = np.column_stack([np.cos(around), np.sin(around), np.full(POINTS, 0.2)])
    for index, place in _NAMED.items():
        points[index] = place
    turn = _about(2, roll) @ _about(1, yaw) @ _about(0, pitch)
    return FaceMesh(points=points @ turn.T * (side / 2) + np.array([x, y, 0.0]), presence=presence)


def _about(axis: int, angle: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.eye(3)
    one, other = [index for index in range(3) if index != axis]
    matrix[one, one] = matrix[other, other] = cos
    matrix[one, other], matrix[other, one] = -sin, sin
    return matrix
