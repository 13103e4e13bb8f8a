"""A photographed head as a camera at its side would see it, as far as the photograph shows it. Pure.

As faces are profiled for training aligners (Zhu et al. 2016, "Face Alignment Across Large Poses"): the mesh
of the face gives its depth, what is around it (sides, hair) gets that of an ellipsoid, all is turned about
the vertical, and what is nearest is drawn over a background that is filled from around. The back of the head,
which no photograph shows, has what is beside the temples, drawn out. The turn is about the vertical and
without perspective, so each row of the picture stays a row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.fusion.nuisances import Pixels

__all__ = ["OVAL", "turned_head", "yaw_of"]

Floats = NDArray[np.float64]

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
    149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Points of the mesh at its edge, in order, from the forehead on."""
_FOREHEAD, _CHIN, _RIGHT_CHEEK, _LEFT_CHEEK, _RIGHT_JAW, _LEFT_JAW = 10, 152, 234, 454, 172, 397
# Of half the face's width: how far ears and hair stick out, and how far back the head goes behind the ears.
_SIDES, _BACK = 1.14, 1.35
# Of the face's height: the skull above the forehead.
_ABOVE = 0.33
# Of the way from the cheeks' widest points to the forehead: the upper end of the ears.
_EARS = 0.35
# Of half the head's width: how much beside the temples shows hair.
_STRIP = 0.14
# Pixels are drawn finer by this factor; points of each row's curves; where the mesh's depth is asked.
_FINER, _SAMPLES = 2, 500
_COARSE_ROWS, _COARSE_COLUMNS = 40, 33


@dataclass(frozen=True, slots=True)
class _Rows:
    """The head row by row; x to the right, y down, z away from the camera, pixels."""

    y: Floats
    left: Floats
    right: Floats
    """[rows]: where the mesh begins and ends; both the axis above the forehead."""
    depth: Floats
    """[rows, samples] of the mesh, from left to right."""
    rim: Floats
    """[rows]: half the width of the head, ears and hair included; 0 where there is nothing but the jaw."""
    back: Floats
    """[rows]: how far the head goes behind the axis."""
    axis: float
    axis_depth: float
    ears: float
    """Their row."""
    hair: float
    """Rows above the ears that show hair beside the face, pixels."""


def yaw_of(points: Floats) -> float:
    """Degrees by which a mesh [468, 3] is turned to the picture's right, negative to its left."""
    across = points[_LEFT_CHEEK] - points[_RIGHT_CHEEK]
    down = points[_CHIN] - points[_FOREHEAD]
    outwards = np.cross(across, down)
    return math.degrees(math.atan2(-outwards[0], outwards[2]))


def turned_head(pixels: Pixels, points: Floats, yaw: float) -> Pixels:
    """The picture, uint8 RGB, with its head turned to `yaw` degrees from the front, to the side it looks to.

    points: its mesh [468, 3] in pixels. A head that is turned so far already stays as it is.
    """
    already = yaw_of(points)
    turn = math.radians(yaw - abs(already))
    if turn <= 0:
        return pixels.copy()
    if already >= 0:
        return _turned(pixels, points, turn)
    mirrored = points * [-1, 1, 1] + [pixels.shape[1] - 1, 0, 0]
    return np.ascontiguousarray(_turned(np.ascontiguousarray(pixels[:, ::-1]), mirrored, turn)[:, ::-1])


def _turned(pixels: Pixels, points: Floats, turn: float) -> Pixels:
    """By so many radians to the picture's right."""
    rows = _rows_of(points, pixels.shape[0])
    where, from_x, from_y = _drawn(rows, turn, pixels.shape[:2])
    head = cv2.remap(pixels, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    size = pixels.shape[1], pixels.shape[0]
    background = cv2.resize(_without_head(pixels, rows), (where.shape[1], where.shape[0]))
    both = np.where(where[..., None], head, background)
    return np.asarray(cv2.resize(both, size, interpolation=cv2.INTER_AREA), np.uint8)


def _rows_of(points: Floats, height: int) -> _Rows:
    axis, _, axis_depth = (points[_RIGHT_CHEEK] + points[_LEFT_CHEEK]) / 2
    half = float(np.ptp(points[[_RIGHT_CHEEK, _LEFT_CHEEK], 0])) / 2
    forehead, chin = points[_FOREHEAD], points[_CHIN]
    top = forehead[1] - _ABOVE * (chin[1] - forehead[1])
    middle = points[[_RIGHT_CHEEK, _LEFT_CHEEK], 1].mean()
    jaw = points[[_RIGHT_JAW, _LEFT_JAW], 1].mean()
    y = np.arange(max(0.0, math.ceil(top)), min(height - 1.0, chin[1]), 1 / _FINER)
    oval = points[list(OVAL)]
    left, right = _limits(oval[:, :2], y, axis)
    skull = _ellipse(y, middle, middle - top, jaw - middle)
    inside = _depths(points, y, left, right)
    # Above the forehead its curve shrinks as the skull does.
    at_top = np.interp(forehead[1], y, skull)
    dome = axis_depth + (forehead[2] - axis_depth) * skull / max(float(at_top), 1e-6)
    depth = np.where((y < forehead[1])[:, None], dome[:, None], inside)
    return _Rows(
        y, left, right, depth, _SIDES * half * skull, _BACK * half * skull, float(axis), float(axis_depth),
        float(middle - _EARS * (middle - forehead[1])), float(middle - forehead[1]) * 0.6,
    )  # fmt: skip


def _limits(oval: Floats, y: Floats, axis: float) -> tuple[Floats, Floats]:
    """Where a closed line begins and ends in each row; the axis where it is not."""
    ends = np.roll(oval, -1, axis=0)
    (x0, y0), (x1, y1) = oval.T, ends.T
    rise = np.where(np.abs(y1 - y0) < 1e-9, 1e-9, y1 - y0)
    share = (y[:, None] - y0) / rise
    crossing = np.where((share >= 0) & (share <= 1), x0 + share * (x1 - x0), np.nan)
    is_there = np.asarray(np.isfinite(crossing).any(axis=1))
    filled = np.where(is_there[:, None], crossing, axis)
    return np.nanmin(filled, axis=1), np.nanmax(filled, axis=1)


def _across(count: int) -> Floats:
    """From 0 to 1, closer at the ends, where a face falls off."""
    return np.asarray((1 - np.cos(np.linspace(0, math.pi, count))) / 2, np.float64)


def _ellipse(y: Floats, middle: float, above: float, below: float) -> Floats:
    """Half the width, 0..1, of an ellipse in each row."""
    reach = np.where(y < middle, above, below)
    return np.asarray(np.sqrt(np.maximum(0.0, 1 - ((y - middle) / reach) ** 2)), np.float64)


def _depths(points: Floats, y: Floats, left: Floats, right: Floats) -> Floats:
    """Of the mesh, in each row from left to right: a thin plate through its points."""
    few = np.linspace(0, len(y) - 1, _COARSE_ROWS).round().astype(int)
    across = _across(_COARSE_COLUMNS)
    x = left[few, None] + (right - left)[few, None] * across
    places = np.stack([x, np.broadcast_to(y[few, None], x.shape)], axis=-1).reshape(-1, 2)
    coarse = _plate(points, places).reshape(x.shape).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (_SAMPLES, len(y)), interpolation=cv2.INTER_LINEAR), np.float64)


def _plate(points: Floats, places: Floats) -> Floats:
    """A thin plate spline (Duchon 1977) through x, y, z, at other places [n, 2]."""
    center, scale = points[:, :2].mean(axis=0), np.ptp(points[:, :2])
    known, asked = (points[:, :2] - center) / scale, (places - center) / scale
    count = len(points)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(known, known) + 1e-3 * np.eye(count)
    system[:count, count:] = np.column_stack([np.ones(count), known])
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.solve(system, np.concatenate([points[:, 2], np.zeros(3)]))
    found = _kernel(asked, known) @ weights[:count]
    return np.asarray(found + np.column_stack([np.ones(len(asked)), asked]) @ weights[count:], np.float64)


def _kernel(one: Floats, other: Floats) -> Floats:
    squared = ((one[:, None] - other) ** 2).sum(axis=-1)
    return np.asarray(squared * np.log(squared + 1e-12) / 2, np.float64)


def _drawn(
    rows: _Rows, turn: float, shape: tuple[int, ...]
) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
    """Where the head is after the turn, in a finer picture, and which place of the picture shows there."""
    x, z, from_x, from_y = _curves(rows)
    turned = rows.axis + (x - rows.axis) * math.cos(turn) - (z - rows.axis_depth) * math.sin(turn)
    depth = (x - rows.axis) * math.sin(turn) + (z - rows.axis_depth) * math.cos(turn)
    size = shape[0] * _FINER, shape[1] * _FINER
    column = np.round(turned * _FINER).astype(int)
    line = np.broadcast_to(np.round(rows.y * _FINER).astype(int)[:, None], column.shape)
    chosen = (column >= 0) & (column < size[1]) & (line < size[0])
    # What is far is drawn first.
    order = np.argsort(-depth[chosen], kind="stable")
    place = line[chosen][order], column[chosen][order]
    where, maps = np.zeros(size, bool), np.zeros((2, *size), np.float32)
    where[place] = True
    maps[0][place], maps[1][place] = from_x[chosen][order], from_y[chosen][order]
    return where, maps[0], maps[1]


def _curves(rows: _Rows) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each row the face, both sides and the near back: x, z, and the place that shows it: x, y."""
    across, angle = _across(_SAMPLES), np.linspace(0, math.pi / 2, _SAMPLES)
    y = np.broadcast_to(rows.y[:, None], (len(rows.y), _SAMPLES))
    x = rows.left[:, None] + (rows.right - rows.left)[:, None] * across
    parts = [(x, rows.depth, x, y)]
    for sign, edge, first in ((-1, rows.left, rows.depth[:, 0]), (1, rows.right, rows.depth[:, -1])):
        # The side reaches at least as far as the mesh.
        reach = sign * np.maximum(rows.rim, sign * (edge - rows.axis))
        side = edge[:, None] + (rows.axis + reach - edge)[:, None] * np.sin(angle)
        behind = rows.axis_depth + (first - rows.axis_depth)[:, None] * np.cos(angle)
        is_there = (rows.rim > 0)[:, None]
        parts.append((np.where(is_there, side, np.nan), behind, side, y))
    parts.append(_back(rows, angle))
    x, z, from_x, from_y = (np.concatenate(of, axis=1) for of in zip(*parts, strict=True))
    return np.nan_to_num(x, nan=-1e6), z, from_x, from_y


def _back(rows: _Rows, angle: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """From the near rim around to the back, with what is beside the temple, drawn out."""
    reach = np.maximum(rows.rim, rows.axis - rows.left)
    x = rows.axis - reach[:, None] * np.cos(angle)
    z = rows.axis_depth + rows.back[:, None] * np.sin(angle)
    # Below the ears there may be no hair: what is as far above them is taken.
    above = rows.ears - _wave((rows.y - rows.ears) / rows.hair) * rows.hair
    level = np.where(rows.y > rows.ears, above, rows.y)
    edge = np.interp(level, rows.y, rows.rim)
    strip = _STRIP * float(rows.rim.max())
    behind = (z - rows.axis_depth) / max(float(rows.back.max()), 1.0)
    from_x = rows.axis - edge[:, None] + behind * strip
    is_there = (rows.rim > 0)[:, None]
    return np.where(is_there, x, np.nan), z, from_x, np.broadcast_to(level[:, None], x.shape)


def _wave(value: Floats) -> Floats:
    """To and fro between 0 and 1."""
    return np.asarray(1 - np.abs(1 - np.mod(value, 2)), np.float64)


def _without_head(pixels: Pixels, rows: _Rows) -> Pixels:
    """The picture with what is around the head drawn into it."""
    small = 4
    mask = np.zeros(pixels.shape[:2], np.uint8)
    for y, left, right, rim in zip(rows.y, rows.left, rows.right, rows.rim, strict=True):
        start, end = min(left, rows.axis - rim) - 2, max(right, rows.axis + rim) + 2
        mask[round(y), max(0, round(start)) : max(0, round(end))] = 255
    size = max(1, pixels.shape[1] // small), max(1, pixels.shape[0] // small)
    tiny = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    hidden = (cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    filled = cv2.resize(cv2.inpaint(tiny, hidden, 3, cv2.INPAINT_TELEA), pixels.shape[1::-1])
    share = cv2.GaussianBlur(mask, (0, 0), 2).astype(np.float32)[..., None] / 255
    return np.clip(filled * share + pixels * (1 - share), 0, 255).astype(np.uint8)
