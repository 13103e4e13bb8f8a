"""Crops of a picture: where they come from, and that nothing is skipped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.face.picture import Picture, Square
from tests.fakes.pictures import gradient

_SIDES = st.floats(4, 3000)
_PLACES = st.floats(-500, 2000)


@given(x=_PLACES, y=_PLACES, side=_SIDES, angle=st.floats(-math.pi, math.pi))
def test_a_point_goes_into_a_crop_and_back(x: float, y: float, side: float, angle: float) -> None:
    """The two directions of a square's map undo each other, whatever its place, size and turn."""
    square = Square(x, y, side, angle)
    points = np.array([[x, y], [x + side / 3, y - side / 5], [0.0, 0.0]])
    matrix = square.matrix(192)
    inside = points @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(inside[0], 96)
    assert np.allclose(square.to_picture(inside, 192), points, atol=1e-6 * max(1.0, abs(x), abs(y), side))


def test_a_crop_shows_its_part_of_the_picture() -> None:
    """At the picture's own scale a crop has the pixels of its place, black beyond the edges."""
    pixels = gradient(120, 90)
    crop = Picture(pixels).cut(Square(x=16, y=40, side=64), 64)
    assert np.array_equal(crop[:, 16:], pixels[8:72, :48])
    assert not crop[:, :16].any()


def test_a_turned_square_shows_its_content_upright() -> None:
    """What leans clockwise by a quarter in the picture is upright in the crop."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[28:36, 40:60] = 255  # points to the right: "up", turned clockwise by a quarter
    crop = Picture(pixels).cut(Square(32, 32, 64, angle=math.pi / 2), 64)
    assert crop[4:24, 28:36].mean() > 200
    assert crop[40:].mean() == 0


@pytest.mark.parametrize("factor", [3, 5, 8, 11])
def test_a_reduced_crop_averages_all_pixels(factor: int) -> None:
    """A pattern finer than the crop's pixels becomes grey instead of picking single pixels."""
    y, x = np.mgrid[0 : 32 * factor, 0 : 32 * factor]
    board = np.repeat((((x + y) % 2) * 255).astype(np.uint8)[..., None], 3, axis=2)
    side = 32 * factor
    crop = Picture(board).cut(Square(side / 2, side / 2, side), 32)[4:-4, 4:-4]
    assert crop.std() < 8
    assert crop.mean() == pytest.approx(127.5, abs=4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (37, 61)])
def test_any_shape_can_be_reduced(shape: tuple[int, int]) -> None:
    """Odd sides and single rows have reduced copies too, and keep their place."""
    pixels = np.full((*shape, 3), 200, np.uint8)
    picture = Picture(pixels)
    side = float(max(shape))
    crop = picture.cut(Square(picture.width / 2, picture.height / 2, side), 8)
    assert crop.shape == (8, 8, 3)
    assert crop.max() > 0
