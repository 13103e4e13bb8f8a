"""From pixels to a YOLO detector's input, and from its boxes to tattoos. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box
from chassis.images import cv2
from services.tattoo.box_layouts import Candidates
from services.tattoo.detect import Detection

__all__ = ["BOX_SIDE", "BoxFrame", "framed", "letterbox_centred", "scaled", "select_tattoos", "surest"]

BOX_SIDE = 640
"""Width and height of the input, pixels."""

_PADDING = 114
# Overlaps are compared among so many of the surest boxes; a picture that has more has no use for them.
_MOST_COMPARED = 1000
_LEAST_SIDE = 1.0


@dataclass(frozen=True, slots=True)
class BoxFrame:
    """A picture as a detector of boxes takes it."""

    tensor: NDArray[np.float32]
    """[3, rows, columns] RGB, x / 255; the picture is in the middle, grey (114) fills the rest."""
    scale: float
    """Pixels of the input for one pixel of the picture."""
    left: int
    """Padding on the left, pixels of the input."""
    top: int
    """Padding at the top, pixels of the input."""
    width: int
    """Width of the picture, its own pixels."""
    height: int
    """Height of the picture, its own pixels."""


def letterbox_centred(image: NDArray[np.uint8]) -> BoxFrame:
    """Return `image`, uint8 RGB [height, width, 3], scaled to fit into the middle of a square of BOX_SIDE."""
    height, width = image.shape[:2]
    return framed(scaled(image, BOX_SIDE, width, height), (BOX_SIDE, BOX_SIDE), width, height)


def scaled(image: NDArray[np.uint8], side: int, width: int, height: int) -> NDArray[np.uint8]:
    """Return `image` so large that the longer side of what is width x height in the picture is `side`."""
    scale = side / max(width, height)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if max(columns, rows) < max(image.shape[:2]) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (columns, rows), interpolation=method), np.uint8)


def framed(image: NDArray[np.uint8], shape: tuple[int, int], width: int, height: int) -> BoxFrame:
    """Return a scaled picture of width x height pixels in the middle of `shape`: rows and columns."""
    rows, columns = image.shape[:2]
    top, left = (shape[0] - rows) // 2, (shape[1] - columns) // 2
    canvas = np.full((*shape, 3), _PADDING, np.uint8)
    canvas[top : top + rows, left : left + columns] = image
    tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1), np.float32) / np.float32(255)
    return BoxFrame(tensor, max(rows, columns) / max(width, height), left, top, width, height)


def select_tattoos(
    candidates: Candidates, frame: BoxFrame, *, threshold: float, overlap: float, most: int
) -> list[Detection]:
    """Return the tattoos of a picture, largest first, at most `most`.

    A box counts from a score of `threshold` on, and unless a surer one overlaps it by an IoU above `overlap`.
    Boxes are cut at the picture's edges; what lies in the padding is none.
    """
    is_sure = candidates.scores >= threshold
    corners = _in_picture(candidates.boxes[is_sure], frame)
    has_area = ((corners[:, 2:] - corners[:, :2]) >= _LEAST_SIDE).all(axis=1)
    corners, scores = corners[has_area], candidates.scores[is_sure][has_area]
    kept = surest(corners, scores, overlap)
    found = [Detection(Box.from_corners(*map(float, corners[i])), float(scores[i]), ()) for i in kept]
    return sorted(found, key=lambda detection: -detection.box.area)[:most]


def _in_picture(boxes: NDArray[np.float32], frame: BoxFrame) -> NDArray[np.float64]:
    """Corners [n, 4] in pixels of the picture, cut at its edges, of centres and sizes in the input's."""
    center, half = boxes[:, :2].astype(np.float64), boxes[:, 2:].astype(np.float64) / 2
    corners = np.concatenate([center - half, center + half], axis=1)
    padding = np.array([frame.left, frame.top] * 2)
    size = np.array([frame.width, frame.height] * 2)
    return np.asarray(np.clip((corners - padding) / frame.scale, 0, size))


def surest(corners: NDArray[np.float64], scores: NDArray[np.floating], overlap: float) -> list[int]:
    """Indices of the boxes, corners [n, 4], that no surer one overlaps by an IoU above `overlap`."""
    sides = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(sides.tolist(), scores.tolist(), 0.0, overlap, top_k=_MOST_COMPARED)
    return [int(index) for index in kept]
