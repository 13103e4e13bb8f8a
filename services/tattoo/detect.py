"""From pixels to the detector's input, and from its heat map to tattoos. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box, Point
from chassis.images import cv2

__all__ = ["CELL", "Detection", "Frame", "SIDE", "find_tattoos", "letterbox"]

SIDE = 320
"""Width and height of the detector's input, pixels."""
CELL = 16
"""Width of the square of the input that one cell of the heat map speaks for, pixels."""

_PADDING = 114
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
# Outlines are drawn on a heat map this many times finer than the cells, interpolated linearly.
_FINER = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture as the detector takes it."""

    tensor: NDArray[np.float32]
    """[3, SIDE, SIDE] RGB, ImageNet-normalised; the picture is at the top left, grey fills the rest."""
    scale: float
    """Pixels of the input for one pixel of the picture."""
    width: int
    """Width of the picture, its own pixels."""
    height: int
    """Height of the picture, its own pixels."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One tattoo: where it is and how sure the detector is."""

    box: Box
    confidence: float
    """0..1: a box's score, or a region's highest probability, of cells averaged with their neighbours."""
    outline: tuple[Point, ...]
    """Corners of the inked region, at least three, pixels of the picture; none from a detector of boxes."""


def letterbox(image: NDArray[np.uint8]) -> Frame:
    """Return `image`, uint8 RGB [height, width, 3], scaled so that its longer side is SIDE and normalised."""
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.full((SIDE, SIDE, 3), _PADDING, np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=method)
    tensor = (canvas.astype(np.float32) / 255 - _MEAN) / _DEVIATION
    return Frame(np.ascontiguousarray(tensor.transpose(2, 0, 1)), scale, width, height)


def find_tattoos(
    heatmap: NDArray[np.float32], frame: Frame, *, threshold: float, edge: float, most: int = 32
) -> list[Detection]:
    """Return the tattoos of a picture, largest first, at most `most`.

    `heatmap` [1, cells, cells] holds probabilities. A tattoo is a connected region above `edge` whose
    smoothed peak reaches `threshold`; both are probabilities, `edge` at most `threshold`.
    """
    heat = _smoothed(heatmap[0], frame)
    enlarged = cv2.resize(heat, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_LINEAR)
    fine = np.asarray(enlarged, np.float32)
    count, labels = cv2.connectedComponents((fine > edge).astype(np.uint8), connectivity=8)
    found = [_detection(fine, labels == label, frame) for label in range(1, count)]
    kept = [detection for detection in found if detection is not None and detection.confidence >= threshold]
    return sorted(kept, key=lambda detection: -detection.box.area)[:most]


def _smoothed(heat: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """Average each cell with its neighbours: a bright cell alone is no tattoo. Padding counts as nothing."""
    inside = np.zeros_like(heat)
    rows, columns = (max(1, round(side * frame.scale / CELL)) for side in (frame.height, frame.width))
    inside[:rows, :columns] = 1
    return np.asarray(cv2.GaussianBlur(heat * inside, (3, 3), 0), np.float32)


def _detection(fine: NDArray[np.float32], region: NDArray[np.bool_], frame: Frame) -> Detection | None:
    contours, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = np.asarray(cv2.approxPolyDP(max(contours, key=cv2.contourArea), 1.0, True)[:, 0, :], np.int32)
    if len(outline) < 3:
        return None
    unit = CELL / _FINER / frame.scale
    rows, columns = np.nonzero(region)
    box = Box.from_corners(
        float(columns.min()) * unit,
        float(rows.min()) * unit,
        min(float(columns.max() + 1) * unit, frame.width),
        min(float(rows.max() + 1) * unit, frame.height),
    )
    return Detection(box, float(fine[region].max()), _points(outline, unit, frame))


def _points(outline: NDArray[np.int32], unit: float, frame: Frame) -> tuple[Point, ...]:
    return tuple(
        Point(min((float(x) + 0.5) * unit, frame.width), min((float(y) + 0.5) * unit, frame.height))
        for x, y in outline
    )
