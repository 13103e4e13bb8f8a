"""The mesh's output, and where the network looks for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.geometry import Box, Point
from services.face.detector import Detection
from services.face.mesh import decode_mesh, mesh_input, square_of_detection, square_of_mesh
from services.face.picture import Square
from tests.fakes.face_meshes import frontal_mesh


def test_points_come_back_in_the_picture() -> None:
    """Points of a crop are told in pixels of the picture, depth in the same unit."""
    landmarks = np.zeros((468, 3), np.float32)
    landmarks[:] = (96, 96, 8)
    landmarks[1] = (192, 0, -8)
    mesh = decode_mesh(landmarks, 0.0, Square(500, 300, 96))
    assert mesh.points[0] == pytest.approx((500, 300, 4))
    assert mesh.points[1] == pytest.approx((548, 252, -4))
    assert mesh.presence == pytest.approx(0.5)


@pytest.mark.parametrize(("logit", "presence"), [(1e30, 1.0), (-1e30, 0.0)])
def test_extreme_presence_is_no_error(logit: float, presence: float) -> None:
    """Certainty beyond what exp() can represent is certainty."""
    mesh = decode_mesh(np.zeros((468, 3), np.float32), logit, Square(0, 0, 10))
    assert mesh.presence == pytest.approx(presence)


@given(roll=st.floats(-3, 3), x=st.floats(-100, 2000), y=st.floats(-100, 2000), side=st.floats(20, 800))
def test_the_second_look_is_centred_and_upright(roll: float, x: float, y: float, side: float) -> None:
    """From any mesh: half a face of margin on the longer side, centred, turned as the head leans."""
    square = square_of_mesh(frontal_mesh(x=x, y=y, side=side, roll=roll))
    assert (square.x, square.y) == pytest.approx((x, y), abs=side / 20)
    assert square.side == pytest.approx(1.5 * side, rel=0.02)
    assert np.cos(square.angle - roll) == pytest.approx(1.0)


def test_the_first_look_follows_the_detection() -> None:
    """The detector's box with half of it as margin, turned by the line of the eyes."""
    detection = Detection(0.9, Box(100, 50, 40, 60), Point(110, 70), Point(130, 90))
    square = square_of_detection(detection)
    assert (square.x, square.y, square.side) == (120, 80, 90)
    assert square.angle == pytest.approx(np.pi / 4)


def test_the_box_surrounds_the_points() -> None:
    """From the leftmost to the rightmost point, from the highest to the lowest."""
    box = frontal_mesh(x=200, y=100, side=80).box
    assert (box.x, box.y) == pytest.approx((160, 60))
    assert (box.right, box.bottom) == pytest.approx((240, 140))


def test_input_is_normalised() -> None:
    """Pixels 0..255 become 0..1."""
    batch = mesh_input([np.full((192, 192, 3), 255, np.uint8)])
    assert batch.dtype == np.float32
    assert batch.shape == (1, 192, 192, 3)
    assert (batch == 1).all()
