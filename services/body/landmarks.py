"""What the BlazePose landmark network sees: from its output to key points in the picture.

The network regresses 39 points from a crop and gives a heat map for each. A point is moved to the centre of
mass of the heat map around it where the map is sure, as MediaPipe does. Source: Grishchenko et al. 2022,
"BlazePose GHUM Holistic"; MediaPipe 0.10.14, modules/pose_landmark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.body.crop import INPUT_SIDE, Crop
from services.body.pose import Pose
from services.body.skeleton import KEY_POINTS

__all__ = ["LandmarkOutput", "decode_pose", "refine"]

_HEATMAP_SIDE = 64
# MediaPipe's kernel: 7 x 7 cells, used when its greatest probability reaches 0.5.
_REACH = 3
_LEAST_PEAK = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkOutput:
    """The network's answer for one crop."""

    landmarks: NDArray[np.float32]
    """(39, 5): x, y, depth in pixels of the crop, log odds of visibility and of presence."""
    presence: float
    """Probability that the crop shows a person, 0..1."""
    heatmap: NDArray[np.float32]
    """(64, 64, 39) log odds."""
    world: NDArray[np.float32]
    """(39, 3) metres from the middle of the hips."""


def decode_pose(output: LandmarkOutput, crop: Crop, *, width: int, height: int) -> Pose:
    """The pose in a picture of that size, pixels."""
    landmarks = output.landmarks[:KEY_POINTS].astype(np.float64)
    world = output.world[:KEY_POINTS].astype(np.float64)
    return Pose(
        points=crop.to_picture(refine(landmarks[:, :2], output.heatmap)),
        # Hidden points and points beyond the crop are different questions; both must be answered well.
        confidence=np.minimum(_probability(landmarks[:, 3]), _probability(landmarks[:, 4])),
        world=np.concatenate([crop.rotated(world[:, :2]), world[:, 2:]], axis=1),
        presence=float(np.clip(output.presence, 0, 1)),
        width=width,
        height=height,
    )


def refine(points: NDArray[np.float64], heatmap: NDArray[np.float32]) -> NDArray[np.float64]:
    """Move each point, (n, 2) pixels of the crop, to the centre of mass of its heat map, (64, 64, >= n).

    A point outside the map or without a sure peak within 3 cells stays where it is.
    """
    cell = INPUT_SIDE / _HEATMAP_SIDE
    refined = points.copy()
    for row, (x, y) in enumerate(points / cell):
        if 0 <= x < _HEATMAP_SIDE and 0 <= y < _HEATMAP_SIDE:
            center = _center_of_mass(heatmap[:, :, row], int(x), int(y))
            refined[row] = points[row] if center is None else center * cell
    return refined


def _center_of_mass(logits: NDArray[np.float32], x: int, y: int) -> NDArray[np.float64] | None:
    left, top = max(0, x - _REACH), max(0, y - _REACH)
    window = _probability(logits[top : y + _REACH + 1, left : x + _REACH + 1].astype(np.float64))
    if window.max() < _LEAST_PEAK:
        return None
    rows, columns = np.mgrid[top : top + window.shape[0], left : left + window.shape[1]]
    weights = window / window.sum()
    return np.array([(weights * columns).sum(), (weights * rows).sum()])


def _probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    probability: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(log_odds, -50, 50)))
    return probability
