"""What the face detector takes and gives: MediaPipe full-range, 192 x 192, one anchor a cell of 48 x 48."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box, Point
from chassis.images import RGBImage
from services.face.picture import Square

__all__ = ["INPUT_SIDE", "Detection", "detector_input", "decode_detections", "is_same_face"]

INPUT_SIDE = 192
"""Width and height of the network's input, pixels."""
_CELLS = 48
_KEYPOINTS = 6
# Boxes of one face overlap at least this much (intersection over union): within one look, between looks.
_SAME_FACE = 0.3
_SAME_FACE_BETWEEN_LOOKS = 0.4
# A box that lies in a larger one by this share of itself shows a part of the same face.
_PART_OF_FACE = 0.7
# Logits beyond this are as good as certain; keeps exp() in range.
_LARGEST_LOGIT = 80.0


@dataclass(frozen=True, slots=True)
class Detection:
    """One face as the detector sees it, in pixels of the picture."""

    confidence: float
    """0..1."""
    box: Box
    """From the brows to the chin."""
    right_eye: Point
    """The person's right eye: on the left in a picture that is not mirrored."""
    left_eye: Point
    """The person's left eye."""

    @property
    def roll(self) -> float:
        """Radians by which the head leans clockwise in the picture, by the line through the eyes."""
        return float(np.arctan2(self.left_eye.y - self.right_eye.y, self.left_eye.x - self.right_eye.x))


def detector_input(crops: Iterable[RGBImage]) -> NDArray[np.float32]:
    """Crops of 192 x 192 as the network's batch: float32 (n, 192, 192, 3), -1..1."""
    return np.stack(list(crops)).astype(np.float32) / np.float32(127.5) - np.float32(1)


def decode_detections(
    regressors: NDArray[np.float32], logits: NDArray[np.float32], square: Square, *, minimum: float
) -> list[Detection]:
    """The faces of one look: weighted non-maximum suppression over the cells above `minimum` (0..1).

    `regressors` (2304, 16): box centre, box size and six points, relative to the cell, in input pixels.
    `logits` (2304, 1). As BlazeFace (Bazarevsky et al. 2019, section 4.3): boxes that overlap are averaged by
    their confidence instead of all but the best being dropped.
    """
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    chosen = np.flatnonzero(scores > minimum)
    values = regressors[chosen].astype(np.float64).reshape(-1, 2 + _KEYPOINTS, 2)
    values[:, 0] += _ANCHORS[chosen]
    values[:, 2:] += _ANCHORS[chosen][:, None]
    return [
        _detection(scores[chosen[group]], values[group], square)
        for group in _groups(scores[chosen], values[:, 0], values[:, 1])
    ]


def is_same_face(one: Detection, other: Detection) -> bool:
    """Whether two looks show the same face, or one of them a part of it."""
    shared = one.box.intersection(other.box).area
    is_part = shared > _PART_OF_FACE * min(one.box.area, other.box.area)
    return is_part or one.box.iou(other.box) > _SAME_FACE_BETWEEN_LOOKS


def _groups(
    scores: NDArray[np.float64], centers: NDArray[np.float64], sizes: NDArray[np.float64]
) -> Iterable[NDArray[np.intp]]:
    """Indices of the boxes of one face, the best box first, best face first."""
    remaining = np.argsort(-scores, kind="stable")
    while len(remaining):
        best = remaining[0]
        overlap = _iou(centers[best], sizes[best], centers[remaining], sizes[remaining])
        same = overlap > _SAME_FACE
        same[0] = True
        yield remaining[same]
        remaining = remaining[~same]


def _iou(
    center: NDArray[np.float64],
    size: NDArray[np.float64],
    centers: NDArray[np.float64],
    sizes: NDArray[np.float64],
) -> NDArray[np.float64]:
    low = np.maximum(center - size / 2, centers - sizes / 2)
    high = np.minimum(center + size / 2, centers + sizes / 2)
    shared = np.clip(high - low, 0, None).prod(axis=1)
    total = size.prod() + sizes.prod(axis=1) - shared
    return np.asarray(shared / np.maximum(total, 1e-9))


def _detection(scores: NDArray[np.float64], values: NDArray[np.float64], square: Square) -> Detection:
    """`scores` (n,), `values` (n, 8, 2) of one face: their average weighted by score."""
    mean = np.average(values, axis=0, weights=scores)
    center, right_eye, left_eye = square.to_picture(mean[[0, 2, 3]], INPUT_SIDE).tolist()
    width, height = (mean[1] * (square.side / INPUT_SIDE)).tolist()
    return Detection(
        confidence=float(scores[0]),
        box=Box(center[0] - width / 2, center[1] - height / 2, width, height),
        right_eye=Point(*right_eye),
        left_eye=Point(*left_eye),
    )


def _anchors() -> NDArray[np.float64]:
    """Centres of the cells, (2304, 2), in input pixels, row by row."""
    centers = (np.arange(_CELLS) + 0.5) * (INPUT_SIDE / _CELLS)
    x, y = np.meshgrid(centers, centers)
    return np.stack([x.ravel(), y.ravel()], axis=1)


_ANCHORS = _anchors()
