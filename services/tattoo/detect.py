"""From pixels to the detector's input, and from its heat map to tattoos. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box, Point
from chassis.images import cv2

__all__ = [
    "CELL",
    "SIDE",
    "Detection",
    "Frame",
    "Heat",
    "find_tattoos",
    "heat_of",
    "ink_inside",
    "letterbox",
    "outline_inside",
]

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
    """Corners of the inked region, at least three, pixels of the picture; none where it is not known."""


@dataclass(frozen=True, slots=True)
class Heat:
    """How likely ink is, place by place."""

    values: NDArray[np.float32]
    """[rows, columns], 0..1: averaged over neighbours, for a bright cell alone is no tattoo."""
    unit: float
    """Pixels of the picture for one place."""
    width: int
    """Width of the picture, its own pixels."""
    height: int
    """Height of the picture, its own pixels."""


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
    heat = heat_of(heatmap, frame)
    count, labels = cv2.connectedComponents((heat.values > edge).astype(np.uint8), connectivity=8)
    found = [_detection(heat, labels == label) for label in range(1, count)]
    kept = [detection for detection in found if detection is not None and detection.confidence >= threshold]
    return sorted(kept, key=lambda detection: -detection.box.area)[:most]


def heat_of(heatmap: NDArray[np.float32], frame: Frame) -> Heat:
    """Return a heat map [1, cells, cells] of probabilities, smoothed and several times finer."""
    heat = _smoothed(heatmap[0], frame)
    fine = cv2.resize(heat, None, fx=_FINER, fy=_FINER, interpolation=cv2.INTER_LINEAR)
    return Heat(np.asarray(fine, np.float32), CELL / _FINER / frame.scale, frame.width, frame.height)


def ink_inside(heat: Heat, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return [n]: the mean probability of ink in each box; corners [n, 4] in pixels of the picture."""
    sums = cv2.integral(heat.values)
    left, top, right, bottom = _places(heat, corners).T
    total = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    return np.asarray(np.clip(total / ((right - left) * (bottom - top)), 0, 1), np.float64)


def outline_inside(heat: Heat, corners: NDArray[np.float64], *, edge: float) -> tuple[Point, ...]:
    """Return the outline of the largest region in a box, corners [4], in which ink is likelier than `edge`.

    None where there is no such region.
    """
    [[left, top, right, bottom]] = _places(heat, corners[None])
    region = np.zeros(heat.values.shape, np.bool_)
    region[top:bottom, left:right] = heat.values[top:bottom, left:right] > edge
    return _outline(heat, region)


def _places(heat: Heat, corners: NDArray[np.float64]) -> NDArray[np.int64]:
    """First and last place, exclusive, of each box, at least one place."""
    rows, columns = heat.values.shape
    first = np.minimum((corners[:, :2] / heat.unit).astype(np.int64), [columns - 1, rows - 1])
    last = np.clip(np.ceil(corners[:, 2:] / heat.unit).astype(np.int64), first + 1, [columns, rows])
    return np.concatenate([first, last], axis=1)


def _smoothed(heat: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """Average each cell with its neighbours in the picture, for a bright cell alone is no tattoo; else 0."""
    inside = np.zeros_like(heat)
    rows, columns = (max(1, round(side * frame.scale / CELL)) for side in (frame.height, frame.width))
    inside[:rows, :columns] = 1
    sums, weights = (cv2.GaussianBlur(one, (3, 3), 0) for one in (heat * inside, inside))
    return np.asarray(inside * sums / np.maximum(weights, 1e-6), np.float32)


def _detection(heat: Heat, region: NDArray[np.bool_]) -> Detection | None:
    outline = _outline(heat, region)
    if not outline:
        return None
    rows, columns = np.nonzero(region)
    box = Box.from_corners(
        float(columns.min()) * heat.unit,
        float(rows.min()) * heat.unit,
        min(float(columns.max() + 1) * heat.unit, heat.width),
        min(float(rows.max() + 1) * heat.unit, heat.height),
    )
    return Detection(box, float(heat.values[region].max()), outline)


def _outline(heat: Heat, region: NDArray[np.bool_]) -> tuple[Point, ...]:
    """Corners around the largest part of a region, none where it has not at least three."""
    contours, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not contours:
        return ()
    outline = np.asarray(cv2.approxPolyDP(max(contours, key=cv2.contourArea), 1.0, True)[:, 0, :], np.int32)
    if len(outline) < 3:
        return ()
    return tuple(
        Point(min((float(x) + 0.5) * heat.unit, heat.width), min((float(y) + 0.5) * heat.unit, heat.height))
        for x, y in outline
    )
