"""A sheet of pictures with people as the gateway groups them: a colour each, white what is nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box
from gateway.association import Association, PersonInstance

__all__ = ["drawn", "write_sheet"]

_COLOURS = ((60, 60, 255), (60, 220, 60), (255, 140, 40), (0, 220, 255), (255, 0, 255), (200, 200, 0))
_WHITE = (255, 255, 255)
_HEIGHT, _COLUMNS = 420, 3
_SEEN = 0.5

_Pixels = NDArray[np.uint8]


def drawn(pixels: _Pixels, association: Association) -> _Pixels:
    """A copy, BGR, of an RGB picture: faces and tattoos in thick boxes, bodies in thin ones with points."""
    canvas = np.ascontiguousarray(pixels[..., ::-1])
    for number, person in enumerate(association.people):
        _draw(canvas, person, _COLOURS[number % len(_COLOURS)])
    for tattoo in association.unassigned:
        _frame(canvas, tattoo.box, _WHITE, 2)
    return canvas


def write_sheet(path: Path, pictures: Sequence[_Pixels]) -> None:
    """Pictures, BGR, in rows of three."""
    tiles = [_fitted(one) for one in pictures]
    rows = [np.hstack(tiles[first : first + _COLUMNS]) for first in range(0, len(tiles), _COLUMNS)]
    width = max(row.shape[1] for row in rows)
    whole = np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), whole)


def _draw(canvas: _Pixels, person: PersonInstance, color: tuple[int, int, int]) -> None:
    if person.body is not None:
        _frame(canvas, person.body.box, color, 1)
        for point in person.body.key_points:
            if point.visibility >= _SEEN:
                cv2.circle(canvas, (round(point.x), round(point.y)), 3, color, -1)
    for part in (person.face, *person.tattoos):
        if part is not None:
            _frame(canvas, part.box, color, 2)


def _frame(canvas: _Pixels, box: Box, color: tuple[int, int, int], thickness: int) -> None:
    start, end = (round(box.x), round(box.y)), (round(box.right), round(box.bottom))
    cv2.rectangle(canvas, start, end, color, thickness)


def _fitted(picture: _Pixels) -> _Pixels:
    width = round(picture.shape[1] * _HEIGHT / picture.shape[0])
    return np.asarray(cv2.resize(picture, (width, _HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
