"""Cutting a tattoo out and making it an embedder's input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.geometry import Box
from services.tattoo.crop import cut, to_input
from tests.fakes.pictures import gradient

ZERO, ONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def test_the_cut_is_what_lies_in_the_box() -> None:
    """Pixels are those of the picture, rounded to whole ones."""
    image = gradient(64, 48)
    assert np.array_equal(cut(image, Box(10.4, 5.0, 20, 16.2)), image[5:21, 10:30])


@given(
    x=st.floats(-100, 200), y=st.floats(-100, 200), width=st.floats(0.01, 300), height=st.floats(0.01, 300)
)
def test_a_cut_is_never_empty(x: float, y: float, width: float, height: float) -> None:
    """Boxes that are tiny or leave the picture still give at least 8 x 8 pixels."""
    part = cut(gradient(64, 48), Box(x, y, width, height))
    assert min(part.shape[:2]) >= 8
    assert part.shape[2] == 3


def test_a_cut_of_a_tiny_picture_is_the_picture() -> None:
    """Where the picture itself is smaller than 8 pixels, all of it is taken."""
    image = gradient(5, 3)
    assert np.array_equal(cut(image, Box(1, 1, 2, 1)), image)


def test_layout_color_and_normalisation() -> None:
    """(x / 255 - mean) / deviation in the order of the colours, channels first or last."""
    red = np.zeros((30, 20, 3), np.uint8)
    red[..., 0] = 255
    mean, deviation = (0.5, 0.25, 0.0), (0.5, 1.0, 1.0)
    first = to_input(red, size=16, mean=mean, deviation=deviation)
    assert first.shape == (3, 16, 16)
    assert first[:, 3, 3] == pytest.approx([1, -0.25, 0])
    last = to_input(red, size=16, mean=ZERO, deviation=ONE, layout="NHWC", color="BGR")
    assert last.shape == (16, 16, 3)
    assert last[3, 3] == pytest.approx([0, 0, 1])
    assert last.flags["C_CONTIGUOUS"]
