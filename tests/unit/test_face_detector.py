"""The detector's output, decoded."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.geometry import Box, Point
from services.face.detector import (
    INPUT_SIDE,
    Detection,
    decode_detections,
    detector_input,
    is_same_face,
)
from services.face.picture import Square

_WHOLE = Square(96, 96, 192)


class _Output:
    """What the network might say: no face anywhere until one is put in a cell."""

    def __init__(self) -> None:
        self.regressors: NDArray[np.float32] = np.zeros((2304, 16), np.float32)
        self.logits: NDArray[np.float32] = np.full((2304, 1), -100, np.float32)

    def face(self, column: int, row: int, *, side: float, score: float, shift: float = 0.0) -> None:
        """A face centred on a cell, in input pixels; its eyes a quarter of the side above the centre."""
        cell = row * 48 + column
        self.logits[cell] = np.log(score / (1 - score))
        self.regressors[cell, :4] = (shift, 0, side, side)
        self.regressors[cell, 4:8] = (-side / 4 + shift, -side / 4, side / 4 + shift, -side / 4)

    def decoded(self, square: Square = _WHOLE, minimum: float = 0.4) -> list[Detection]:
        return decode_detections(self.regressors, self.logits, square, minimum=minimum)


def test_a_cell_says_where_its_face_is() -> None:
    """The box is centred on the cell's centre, in pixels of the picture."""
    output = _Output()
    output.face(10, 20, side=40, score=0.9)
    [face] = output.decoded()
    assert face.confidence == pytest.approx(0.9)
    assert _xy(face.box.center) == pytest.approx((42, 82))
    assert (face.box.width, face.box.height) == pytest.approx((40, 40))
    assert _xy(face.right_eye) == pytest.approx((32, 72))
    assert face.roll == pytest.approx(0)


def test_the_look_decides_where_the_cell_is() -> None:
    """A look at a part of a large picture gives boxes in the picture's pixels."""
    output = _Output()
    output.face(24, 24, side=40, score=0.9)
    [face] = output.decoded(Square(1000, 500, INPUT_SIDE * 4))
    assert _xy(face.box.center) == pytest.approx((1008, 508))
    assert face.box.width == pytest.approx(160)


def test_a_turned_look_gives_a_turned_head() -> None:
    """A head that lies on its side is found upright in a turned look, and leans in the picture."""
    output = _Output()
    output.face(24, 24, side=40, score=0.9)
    [face] = output.decoded(Square(96, 96, 192, angle=np.pi / 2))
    assert face.roll == pytest.approx(np.pi / 2)


def test_boxes_of_one_face_are_averaged_by_their_confidence() -> None:
    """Two overlapping boxes become one between them, nearer to the surer one, as sure as that one."""
    output = _Output()
    output.face(24, 24, side=40, score=0.9)
    output.face(24, 24 + 1, side=40, score=0.45)
    [face] = output.decoded()
    assert face.confidence == pytest.approx(0.9)
    assert face.box.center.y == pytest.approx(98 + 4 * 0.45 / 1.35)


def test_faces_apart_stay_apart_best_first() -> None:
    """Boxes that do not overlap are different faces."""
    output = _Output()
    output.face(8, 8, side=24, score=0.6)
    output.face(40, 40, side=24, score=0.8)
    assert [face.confidence for face in output.decoded()] == pytest.approx([0.8, 0.6])


def test_weak_cells_are_no_faces() -> None:
    """Nothing below the least confidence is told."""
    output = _Output()
    output.face(8, 8, side=24, score=0.35)
    assert output.decoded() == []


def test_extreme_outputs_are_no_error() -> None:
    """Certainty beyond what exp() can represent is certainty."""
    output = _Output()
    output.logits[:] = -1e30
    output.face(8, 8, side=24, score=0.6)
    output.logits[8 * 48 + 8] = 1e30
    [face] = output.decoded()
    assert face.confidence == pytest.approx(1.0)


def test_boxes_of_two_looks_are_of_one_face_or_of_two() -> None:
    """Overlapping boxes, and a part within the whole, are one face; boxes side by side are two."""
    face, shifted = _detection(0.9, 100, 100, 50), _detection(0.7, 104, 98, 52)
    part, cheek_to_cheek = _detection(0.6, 90, 90, 20), _detection(0.5, 140, 100, 50)
    assert is_same_face(face, shifted)
    assert is_same_face(face, part)
    assert is_same_face(part, face)
    assert not is_same_face(face, cheek_to_cheek)


def test_input_is_normalised() -> None:
    """Pixels 0..255 become -1..1."""
    crop = np.zeros((192, 192, 3), np.uint8)
    crop[0, 0] = 255
    batch = detector_input([crop, crop])
    assert batch.shape == (2, 192, 192, 3)
    assert batch.dtype == np.float32
    assert (batch.min(), batch.max()) == (-1, 1)


def _detection(confidence: float, x: float, y: float, side: float) -> Detection:
    box = Box(x - side / 2, y - side / 2, side, side)
    return Detection(confidence, box, Point(x - side / 4, y), Point(x + side / 4, y))


def _xy(point: Point) -> tuple[float, float]:
    return (point.x, point.y)
