"""What the BlazePose detector sees: from a picture to its input, and from its output to people.

The network looks at a square of 224 pixels and gives, at each of 2,254 anchors, a box around the face and
four points: the middle of the hips, a point on the circle around the whole body, the middle of the shoulders,
and a point on the circle around the upper body. The first two say where the whole person is.
Source: Bazarevsky et al. 2020, "BlazePose: On-device Real-time Body Pose tracking".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box, Point
from chassis.images import RGBImage, cv2

__all__ = ["INPUT_SIDE", "ANCHORS", "Letterbox", "Detection", "anchors", "prepare", "decode_people"]

INPUT_SIDE = 224
"""Width and height of the network's input, pixels."""
ANCHORS = 2254
"""Places at which the network answers."""

# Strides of the layers that answer, two anchors a layer and cell; equal strides share a grid.
_GRIDS = ((8, 2), (16, 2), (32, 6))
_VALUES = 12
_SCORE_LIMIT = 100.0


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture lies in the square input: `input = picture * scale + (left, top)`, pixels."""

    scale: float
    left: float
    top: float

    def to_picture(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Input pixels, (..., 2), as pixels of the picture."""
        shifted: NDArray[np.float64] = (points - np.array([self.left, self.top])) / self.scale
        return shifted


@dataclass(frozen=True, slots=True)
class Detection:
    """One person, in pixels of the picture; points may lie outside it."""

    confidence: float
    """0..1."""
    face: Box
    """Around the face."""
    hips: Point
    """Middle of the hips: the centre of the circle around the whole body."""
    rim: Point
    """The topmost point of that circle as the person stands: from the hips towards the head."""

    @property
    def radius(self) -> float:
        """Radius of the circle around the whole body, pixels."""
        return float(np.hypot(self.rim.x - self.hips.x, self.rim.y - self.hips.y))


@cache
def anchors() -> NDArray[np.float64]:
    """Centres of the anchors as fractions of the input's side, float64 (2254, 2), in the network's order."""
    grids = []
    for stride, count in _GRIDS:
        cells = INPUT_SIDE // stride
        centers = (np.arange(cells) + 0.5) / cells
        x, y = np.meshgrid(centers, centers)
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), count, axis=0))
    return np.concatenate(grids)


def prepare(picture: RGBImage) -> tuple[NDArray[np.float32], Letterbox]:
    """The network's input, float32 (224, 224, 3) in -1..1: the picture centred on black."""
    height, width = picture.shape[:2]
    scale = INPUT_SIDE / max(height, width)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Averaging keeps what plain sampling of a large picture would lose; for enlarging it is linear.
    small = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (INPUT_SIDE - inner[0]) // 2, (INPUT_SIDE - inner[1]) // 2
    tensor = np.full((INPUT_SIDE, INPUT_SIDE, 3), -1.0, np.float32)
    tensor[top : top + inner[1], left : left + inner[0]] = small.astype(np.float32) / 127.5 - 1.0
    return tensor, Letterbox(scale=scale, left=left, top=top)


def decode_people(
    regressors: NDArray[np.float32],
    logits: NDArray[np.float32],
    letterbox: Letterbox,
    *,
    threshold: float = 0.5,
    overlap: float = 0.3,
) -> list[Detection]:
    """People with a confidence of at least `threshold`, most confident first.

    regressors: (2254, 12), input pixels relative to the anchor. logits: (2254, 1) or (2254,).
    overlap: boxes with a greater intersection over union are one person; they are averaged by confidence.
    """
    scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1).astype(np.float64), -_SCORE_LIMIT, _SCORE_LIMIT)))
    chosen = np.flatnonzero(scores >= threshold)
    values = _absolute(regressors.reshape(-1, _VALUES)[chosen].astype(np.float64), anchors()[chosen])
    return [
        _detection(confidence, merged, letterbox)
        for confidence, merged in _merge(values, scores[chosen], overlap)
    ]


def _absolute(values: NDArray[np.float64], centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Left, top, right, bottom and four points in input pixels, (n, 12)."""
    origin = centers * INPUT_SIDE
    middle, size = values[:, :2] + origin, values[:, 2:4]
    points = values[:, 4:].reshape(-1, 4, 2) + origin[:, None]
    return np.concatenate([middle - size / 2, middle + size / 2, points.reshape(-1, 8)], axis=1)


def _merge(
    values: NDArray[np.float64], scores: NDArray[np.float64], overlap: float
) -> list[tuple[float, NDArray[np.float64]]]:
    """Weighted non-maximum suppression: each best box takes those that overlap it into an average."""
    merged = []
    left = np.argsort(-scores, kind="stable")
    while left.size:
        best = left[0]
        same = _overlaps(values[best, :4], values[left, :4]) > overlap
        same[0] = True
        group, left = left[same], left[~same]
        weights = scores[group] / scores[group].sum()
        merged.append((float(scores[best]), weights @ values[group]))
    return merged


def _overlaps(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box with each of (n, 4) others."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(np.clip(others[:, 2:] - others[:, :2], 0, None), axis=1)
    own = np.prod(np.clip(box[2:] - box[:2], 0, None))
    overlaps: NDArray[np.float64] = shared / np.maximum(areas + own - shared, 1e-9)
    return overlaps


def _detection(confidence: float, values: NDArray[np.float64], letterbox: Letterbox) -> Detection:
    points = letterbox.to_picture(values.reshape(-1, 2))
    (left, top), (right, bottom), hips, rim = points[:4]
    return Detection(
        confidence=confidence,
        face=Box.from_corners(float(left), float(top), float(right), float(bottom)),
        hips=Point(float(hips[0]), float(hips[1])),
        rim=Point(float(rim[0]), float(rim[1])),
    )
