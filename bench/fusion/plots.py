"""How often answers are right against how sure they are, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.fusion.figures import Bin

__all__ = ["reliability"]

_SIDE, _MARGIN, _COLUMNS = 220, 34, 4
_COLOURS = ((150, 110, 60), (60, 110, 220))
_INK, _LINE = (60, 60, 60), (205, 205, 205)


def reliability(curves: Mapping[str, Mapping[str, Sequence[Bin]]], file: Path) -> None:
    """A panel for each slice, a curve for each policy; the area of a dot goes with its answers."""
    panels = [_panel(name, of) for name, of in curves.items()]
    blank = np.full_like(panels[0], 255)
    panels += [blank] * (-len(panels) % _COLUMNS)
    rows = [np.hstack(panels[start : start + _COLUMNS]) for start in range(0, len(panels), _COLUMNS)]
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.vstack(rows))


def _panel(name: str, curves: Mapping[str, Sequence[Bin]]) -> NDArray[np.uint8]:
    size = _SIDE + 2 * _MARGIN
    canvas = np.full((size, size, 3), 255, np.uint8)
    for tenth in range(0, 11, 2):
        place = tenth / 10
        cv2.line(canvas, _at(place, 0), _at(place, 1), _LINE, 1)
        cv2.line(canvas, _at(0, place), _at(1, place), _LINE, 1)
        x, y = _at(place, 0)
        _write(canvas, f"{place:g}", (x - 8, y + 14))
        _write(canvas, f"{place:g}", (6, _at(0, place)[1] + 4))
    cv2.line(canvas, _at(0, 0), _at(1, 1), _INK, 1, cv2.LINE_AA)
    for number, (policy, bins) in enumerate(curves.items()):
        colour, most = _COLOURS[number], max((one.count for one in bins), default=1)
        points = [_at(one.score, one.right) for one in bins]
        for first, second in pairwise(points):
            cv2.line(canvas, first, second, colour, 2, cv2.LINE_AA)
        for point, one in zip(points, bins, strict=True):
            cv2.circle(canvas, point, 2 + round(6 * (one.count / most) ** 0.5), colour, -1, cv2.LINE_AA)
        _write(canvas, policy, (_MARGIN + 6, _MARGIN + 14 + 14 * number), colour)
    _write(canvas, name, (_MARGIN, _MARGIN - 12))
    return canvas


def _at(score: float, right: float) -> tuple[int, int]:
    return _MARGIN + round(score * _SIDE), _MARGIN + round((1 - right) * _SIDE)


def _write(
    canvas: NDArray[np.uint8], text: str, place: tuple[int, int], colour: tuple[int, int, int] = _INK
) -> None:
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)
