"""Which boxes a YOLO detector's output holds, in either of the two layouts in use. Pure.

Both are for an input of 640 x 640 pixels, whose cells are 8, 16 and 32 pixels wide: 80 x 80 + 40 x 40 +
20 x 20 = 8,400 places. A box is centre x, centre y, width and height in pixels of the input.

- YOLOv5 (N, 25200, 5 + classes): three boxes a place, one row each: box, objectness, class probabilities.
- YOLOv8 (N, 4 + classes, 8400): one box a place, one column each: box, class probabilities. Ours, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ModelError

__all__ = ["PLACES", "Candidates", "read_candidates"]

PLACES = 8400
"""Places of the three grids on an input of 640 x 640."""

_V5_ROWS = 3 * PLACES
# What float arithmetic may add to a probability.
_ROUNDING = 1e-3


@dataclass(frozen=True, slots=True)
class Candidates:
    """All boxes of one picture, most of which are none."""

    boxes: NDArray[np.float32]
    """[n, 4]: centre x, centre y, width, height, pixels of the input."""
    scores: NDArray[np.float32]
    """[n]: probability of the likeliest class, 0..1."""


def read_candidates(model: str, outputs: Mapping[str, NDArray[np.float32]]) -> Candidates:
    """Return what the outputs of a run on one picture hold; `model` is the name told in errors.

    The layout is known by the shape; an export may have further outputs of other shapes. Every class counts.

    Raises ModelError, which is the fault of the model's file: no output or several have a known shape, there
    is no class, a value is not finite, or a score is no probability.
    """
    fitting = [rows for output in outputs.values() if (rows := _rows(output)) is not None]
    if len(fitting) != 1:
        shapes = ", ".join(f"{name} {_told(output)}" for name, output in outputs.items()) or "no output"
        raise ModelError(
            f"model {model}: its output is not that of a YOLOv5 export, 1x{_V5_ROWS}x(5 + classes), or of a "
            f"YOLOv8 export, 1x(4 + classes)x{PLACES}, for 640x640 pixels and at least one class: {shapes}"
        )
    boxes, scores = fitting[0]
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        raise ModelError(f"model {model}: its output is not finite")
    if scores.min() < -_ROUNDING or scores.max() > 1 + _ROUNDING:
        raise ModelError(f"model {model}: its scores are no probabilities; the export lacks the sigmoid")
    return Candidates(boxes, np.clip(scores, 0, 1))


def _rows(output: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Boxes [n, 4] and scores [n] of an output in a known layout, None for another one."""
    if output.ndim != 3 or len(output) != 1:
        return None
    _, first, second = output.shape
    if first == _V5_ROWS and second > 5:
        rows = output[0]
        return rows[:, :4], rows[:, 4] * rows[:, 5:].max(axis=1)
    if second == PLACES and first > 4:
        columns = output[0]
        return columns[:4].T, columns[4:].max(axis=0)
    return None


def _told(output: NDArray[np.float32]) -> str:
    return "x".join(map(str, output.shape))
