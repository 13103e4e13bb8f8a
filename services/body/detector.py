"""What the BlazePose detector sees: from its output to people.

The network looks at a square of 224 pixels and gives, at each of 2,254 anchors, a box whose middle is that of
the face (its size says nothing: it is always about a fifth of the input) and four points: the middle of the
hips, a point on the circle around the whole body, the middle of the shoulders, and a point on the circle
around the upper body. The first two say where the whole person is.
Source: Bazarevsky et al. 2020, "BlazePose: On-device Real-time Body Pose tracking".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Point
from services.body.frames import INPUT_SIDE, Frame

__all__ = ["ANCHORS", "Detection", "anchors", "decode_people"]

ANCHORS = 2254
"""Places at which the network answers."""

# Stride of each grid of cells, and anchors a cell.
_GRIDS = ((8, 2), (16, 2), (32, 6))
_VALUES = 12
_SCORE_LIMIT = 100.0
# Middles of faces nearer than this, in radii of the body's circle, are one face: half its width.
_SAME_FACE = 0.15


@dataclass(frozen=True, slots=True)
class Detection:
    """One person, in pixels of the picture; points may lie outside it."""

    confidence: float
    """0..1."""
    face: Point
    """Middle of the face."""
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


def decode_people(
    regressors: NDArray[np.float32],
    logits: NDArray[np.float32],
    frames: Sequence[Frame],
    *,
    threshold: float = 0.5,
    overlap: float = 0.3,
) -> list[Detection]:
    """People with a confidence of at least `threshold` in any frame of a picture, most confident first.

    regressors: (n, 2254, 12) input pixels relative to the anchor. logits: (n, 2254, 1). n: number of frames.
    overlap: boxes of one frame with a greater intersection over union are one person; they are averaged by
    confidence. Of a person whom several frames show, the surest view counts.
    """
    scores = _probability(logits.reshape(len(frames), ANCHORS).astype(np.float64))
    found: list[Detection] = []
    for row, frame in enumerate(frames):
        chosen = np.flatnonzero(scores[row] >= threshold)
        values = _in_picture(regressors[row, chosen].astype(np.float64), anchors()[chosen], frame)
        found += [_detection(*one) for one in _merge(values, scores[row, chosen], overlap)]
    return _distinct(found)


def _probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    probability: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(log_odds, -_SCORE_LIMIT, _SCORE_LIMIT)))
    return probability


def _in_picture(
    values: NDArray[np.float64], centers: NDArray[np.float64], frame: Frame
) -> NDArray[np.float64]:
    """Left top, right bottom and four points in pixels of the picture, (n, 12)."""
    origin = centers * INPUT_SIDE
    middle, size = values[:, :2] + origin, values[:, 2:4]
    points = values[:, 4:].reshape(-1, 4, 2) + origin[:, None]
    corners = np.stack([middle - size / 2, middle + size / 2], axis=1)
    return frame.to_picture(np.concatenate([corners, points], axis=1)).reshape(-1, _VALUES)


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


def _detection(confidence: float, values: NDArray[np.float64]) -> Detection:
    (left, top), (right, bottom), hips, rim = values.reshape(-1, 2)[:4].tolist()
    face = Point((left + right) / 2, (top + bottom) / 2)
    return Detection(confidence=confidence, face=face, hips=Point(*hips), rim=Point(*rim))


def _distinct(detections: Sequence[Detection]) -> list[Detection]:
    kept: list[Detection] = []
    for detection in sorted(detections, key=lambda one: -one.confidence):
        if not any(_is_same(detection, other) for other in kept):
            kept.append(detection)
    return kept


def _is_same(first: Detection, second: Detection) -> bool:
    distance = np.hypot(first.face.x - second.face.x, first.face.y - second.face.y)
    return bool(distance < _SAME_FACE * min(first.radius, second.radius))
