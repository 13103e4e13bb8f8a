"""Turns pictures into what the detector learns from: a window of each, at every scale, in every light.

A picture is served letterboxed to 640 pixels. Training sees windows of that, smaller and so cheaper, at
scales around the served one, and of some tattoos so close that they fill the window: in the pictures that are
learned from most of them are small, in photographs that somebody takes of a tattoo none is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.tattoo.boxes import BOX_SIDE
from trainer.learning.camera import worn
from trainer.learning.truth import Picture, load_pixels

__all__ = ["Lesson", "draw_lesson"]

_PADDING = 114
_MOSAIC_SHARE, _CLOSE_SHARE, _BARE_SHARE = 0.15, 0.25, 0.2
# In a close window: share of its side that the tattoo takes, from what size on, enlarged how much at most.
_CLOSE_FILL, _CLOSE_LEAST, _CLOSE_MOST = (0.3, 1.05), 60.0, 4.0
_CLOSE_TRIES = 20
# What is as close and no tattoo, such as a face: share of its picture's longer side that a window shows.
_BARE_SHOWN = (0.15, 0.6)
# With less than this share in the window a tattoo counts neither way; with less than half that, as none.
_LEAST_INSIDE = 0.4
_LEAST_SIDE = 5.0

Boxes = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A window: `pixels` uint8 RGB [side, side, 3]; boxes [n, 4] left, top, right, bottom."""

    pixels: NDArray[np.uint8]
    boxes: Boxes
    ignored: Boxes


def draw_lesson(rng: np.random.Generator, pictures: Sequence[Picture], side: int) -> Lesson:
    """A window of one picture, near or far, or of four side by side, as a camera might have taken it."""
    kind = rng.random()
    if kind < _MOSAIC_SHARE:
        lesson = _mosaic(rng, pictures, side)
    elif kind < _MOSAIC_SHARE + _CLOSE_SHARE:
        lesson = _close(rng, pictures, side)
    elif kind < _MOSAIC_SHARE + _CLOSE_SHARE + _BARE_SHARE:
        lesson = _bare(rng, pictures, side)
    else:
        picture = _picked(rng, pictures)
        lesson = _window(picture, _view(rng, picture, side, BOX_SIDE), side)
    strength = 0.0 if rng.random() < 0.2 else float(rng.uniform(0.3, 1.0))
    return Lesson(worn(rng, lesson.pixels, strength=strength), lesson.boxes, lesson.ignored)


def _picked(rng: np.random.Generator, pictures: Sequence[Picture]) -> Picture:
    return pictures[int(rng.integers(len(pictures)))]


def _mosaic(rng: np.random.Generator, pictures: Sequence[Picture], side: int) -> Lesson:
    """Four windows that meet near the middle: half the scale, four surroundings."""
    cut_x, cut_y = (int(side * rng.uniform(0.35, 0.65)) for _ in range(2))
    spans = [
        (0, 0, cut_x, cut_y),
        (cut_x, 0, side, cut_y),
        (0, cut_y, cut_x, side),
        (cut_x, cut_y, side, side),
    ]
    canvas = np.empty((side, side, 3), np.uint8)
    boxes, ignored = [], []
    for left, top, right, bottom in spans:
        longer = max(right - left, bottom - top)
        picture = _picked(rng, pictures)
        part = _window(picture, _view(rng, picture, longer, BOX_SIDE // 2), longer)
        canvas[top:bottom, left:right] = part.pixels[: bottom - top, : right - left]
        frame = np.array([right - left, bottom - top], np.float32)
        kept, passed = _cut(part.boxes, frame)
        shift = np.array([left, top] * 2, np.float32)
        boxes.append(kept + shift)
        ignored += [
            passed + shift,
            _cut(part.ignored, frame)[0] + shift,
            _cut(part.ignored, frame)[1] + shift,
        ]
    return Lesson(canvas, np.concatenate(boxes), np.concatenate(ignored))


def _close(rng: np.random.Generator, pictures: Sequence[Picture], side: int) -> Lesson:
    """A window that a tattoo nearly fills; as usual where none is large enough."""
    for _ in range(_CLOSE_TRIES):
        picture = _picked(rng, pictures)
        large = [one.box for one in picture.tattoos if one.is_plain and _longer(one.box) >= _CLOSE_LEAST]
        if large:
            left, top, right, bottom = box = large[int(rng.integers(len(large)))]
            scale = min(_CLOSE_MOST, rng.uniform(*_CLOSE_FILL) * side / _longer(box))
            middle = np.array([(left + right) / 2, (top + bottom) / 2])
            middle += rng.uniform(-0.2, 0.2, 2) * side / scale
            return _window(picture, _seen_at(rng, scale, middle, side), side)
    return _window(picture, _view(rng, picture, side, BOX_SIDE), side)


def _bare(rng: np.random.Generator, pictures: Sequence[Picture], side: int) -> Lesson:
    """A close window of a picture in which nobody is tattooed; as usual where none is soon found."""
    for _ in range(_CLOSE_TRIES):
        picture = _picked(rng, pictures)
        if not picture.tattoos:
            size = np.array([picture.width, picture.height], np.float64)
            scale = min(_CLOSE_MOST, side / (rng.uniform(*_BARE_SHOWN) * size.max()))
            middle = rng.uniform(0.1, 0.9, 2) * size
            return _window(picture, _seen_at(rng, float(scale), middle, side), side)
    return _window(picture, _view(rng, picture, side, BOX_SIDE), side)


def _longer(box: tuple[float, float, float, float]) -> float:
    return max(box[2] - box[0], box[3] - box[1])


def _window(picture: Picture, matrix: NDArray[np.float64], side: int) -> Lesson:
    pixels = load_pixels(picture)
    grown = np.linalg.norm(matrix[0, :2]) > 1
    method = cv2.INTER_LINEAR if grown else cv2.INTER_AREA
    if not grown:  # warpAffine takes single samples: shrink first
        pixels, matrix = _shrunk(pixels, matrix)
    window = cv2.warpAffine(pixels, matrix, (side, side), flags=method, borderValue=(_PADDING,) * 3)
    full = _view_of_truth(picture, matrix, pixels.shape[1] / picture.width)
    frame = np.array([side, side], np.float32)
    plain = np.array([one.is_plain for one in picture.tattoos], bool)
    boxes, passed = _cut(full[plain], frame)
    faint = _cut(full[~plain], frame)
    return Lesson(np.asarray(window, np.uint8), boxes, np.concatenate([passed, *faint]))


def _view(rng: np.random.Generator, picture: Picture, side: int, served: int) -> NDArray[np.float64]:
    """The affine map from the picture to a window at about the scale it is served with."""
    spread = rng.normal(0, 0.25) if rng.random() < 0.7 else rng.uniform(-0.8, 0.8)
    scale = served / max(picture.width, picture.height) * np.exp(spread)
    return _seen_at(rng, float(scale), _looked_at(rng, picture, side / scale), side)


def _seen_at(
    rng: np.random.Generator, scale: float, middle: NDArray[np.float64], side: int
) -> NDArray[np.float64]:
    """The affine map to a window around `middle` of the picture: turned a little, stretched, mirrored."""
    turn = rng.normal(0, np.radians(5)) + (np.pi / 2 * rng.integers(4) if rng.random() < 0.15 else 0)
    stretch = np.exp(rng.normal(0, 0.08))
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = linear @ np.diag([stretch * (1 if rng.random() < 0.5 else -1), 1 / stretch])
    return np.concatenate([linear, (side / 2 - linear @ middle)[:, None]], axis=1)


def _looked_at(rng: np.random.Generator, picture: Picture, span: float) -> NDArray[np.float64]:
    """The middle of a window of `span` pixels of the picture: at a tattoo or anywhere, little padding."""
    size = np.array([picture.width, picture.height], np.float64)
    middle = _focus(rng, picture) + rng.uniform(-0.35, 0.35, 2) * span
    room = (size - span) / 2
    slack = np.abs(room) * np.where(room < 0, 0.8, 1.0)
    return np.asarray(np.clip(middle, size / 2 - slack, size / 2 + slack))


def _focus(rng: np.random.Generator, picture: Picture) -> NDArray[np.float64]:
    """A tattoo's middle, or any place of the picture."""
    if picture.tattoos and rng.random() < 0.7:
        left, top, right, bottom = picture.tattoos[int(rng.integers(len(picture.tattoos)))].box
        return np.array([(left + right) / 2, (top + bottom) / 2])
    return np.array([rng.uniform(0.15, 0.85) * picture.width, rng.uniform(0.15, 0.85) * picture.height])


def _shrunk(
    pixels: NDArray[np.uint8], matrix: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    factor = float(np.linalg.norm(matrix[0, :2]))
    size = max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    scales = np.array([pixels.shape[1] / size[0], pixels.shape[0] / size[1]])
    return np.asarray(small, np.uint8), np.concatenate([matrix[:, :2] * scales, matrix[:, 2:]], axis=1)


def _view_of_truth(picture: Picture, matrix: NDArray[np.float64], shrunk: float) -> Boxes:
    """The boxes [n, 4] around what was inside them, turned: eight points that a round drawing touches."""
    boxes = np.array([one.box for one in picture.tattoos], np.float64).reshape(-1, 4) * shrunk
    low, high = boxes[:, :2], boxes[:, 2:]
    middle, half = (low + high) / 2, (high - low) / 2
    around = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    unit = np.stack([np.cos(around), np.sin(around)], axis=1)
    unit /= np.abs(unit).max(axis=1, keepdims=True) ** 0.5  # between the ellipse and the corners
    points = middle[:, None] + half[:, None] * unit[None]
    seen = points @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([seen.min(axis=1), seen.max(axis=1)], axis=1).astype(np.float32)


def _cut(boxes: Boxes, frame: NDArray[np.float32]) -> tuple[Boxes, Boxes]:
    """Boxes cut at the frame: those to be learned, and those of which too little is left."""
    limits = np.tile(frame, 2)
    inside = np.clip(boxes, 0, limits)
    sides = inside[:, 2:] - inside[:, :2]
    share = sides.prod(axis=1) / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    is_large = (sides >= _LEAST_SIDE).all(axis=1)
    is_learned = is_large & (share >= _LEAST_INSIDE)
    is_passed = ~is_learned & (share >= _LEAST_INSIDE / 2) & (sides > 1).all(axis=1)
    return inside[is_learned], inside[is_passed]
