"""The upright square around a person."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chassis.geometry import Point
from services.body.crop import INPUT_SIDE, Crop, around, cut
from services.body.detector import Detection

_CROPS = st.builds(
    Crop,
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
    side=st.floats(1, 5000),
    angle=st.floats(-np.pi, np.pi),
)


def _detection(hips: tuple[float, float], rim: tuple[float, float]) -> Detection:
    return Detection(0.9, Point(0, 0), Point(*hips), Point(*rim))


def _ramp(width: int, height: int) -> NDArray[np.uint8]:
    """Red grows to the right, green downwards."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 / width, y * 255 / height, np.zeros_like(x)], axis=-1).astype(np.uint8)


@given(_CROPS, st.tuples(st.floats(-300, 300), st.floats(-300, 300)))
def test_there_and_back(crop: Crop, place: tuple[float, float]) -> None:
    """A point of the picture, taken to the crop and back, is where it was."""
    matrix = crop.matrix()
    inside = matrix[:, :2] @ np.array(place) + matrix[:, 2]
    [back] = crop.to_picture(inside[None])
    assert back == pytest.approx(np.array(place), abs=1e-6 * (1 + crop.side))


@given(st.floats(-np.pi, np.pi), st.floats(1, 1000))
def test_the_person_stands_upright_in_the_crop(direction: float, radius: float) -> None:
    """However a person lies in the picture, the rim of their circle is straight above their hips."""
    rim = (100 + radius * np.sin(direction), 80 - radius * np.cos(direction))
    crop = around(_detection((100, 80), rim))
    matrix = crop.matrix()
    x, y = matrix[:, :2] @ np.array(rim) + matrix[:, 2]
    assert x == pytest.approx(INPUT_SIDE / 2, abs=1e-6)
    assert y == pytest.approx(INPUT_SIDE / 2 - INPUT_SIDE / 2.5, abs=1e-6)


def test_a_crop_shows_what_lies_there() -> None:
    """Cut at its own scale and upright, a crop is the part of the picture."""
    picture = _ramp(600, 500)
    pixels = cut(picture, Crop(x=300, y=250, side=256, angle=0.0))
    assert pixels.shape == (INPUT_SIDE, INPUT_SIDE, 3)
    assert pixels.dtype == np.float32
    assert pixels == pytest.approx(picture[122:378, 172:428] / 255, abs=1e-6)


@pytest.mark.parametrize("side", [300.0, 700.0, 1500.0, 4000.0])
def test_a_large_crop_is_reduced_in_place(side: float) -> None:
    """Averaging before sampling moves nothing: the middle of each quarter shows its part of the picture."""
    picture = _ramp(2000, 2000)
    crop = Crop(x=1000, y=1000, side=side, angle=0.3)
    pixels = cut(picture, crop)
    for x, y in ((64, 64), (192, 64), (64, 192), (128, 128)):
        [place] = crop.to_picture(np.array([[x, y]], np.float64))
        if (place > 10).all() and (place < 1990).all():
            assert pixels[y, x, :2] == pytest.approx(place / 2000, abs=0.006)


def test_averaging_keeps_what_sampling_would_miss() -> None:
    """Fine stripes become grey, not black or white."""
    stripes = np.zeros((2048, 2048, 3), np.uint8)
    stripes[:, ::2] = 255
    pixels = cut(stripes, Crop(x=1024, y=1024, side=2048, angle=0.0))
    assert pixels[20:-20, 20:-20] == pytest.approx(0.5, abs=0.02)


def test_the_edge_goes_on_outside() -> None:
    """Beyond the picture the crop shows the colour of its edge, not black."""
    picture = np.full((100, 100, 3), 200, np.uint8)
    pixels = cut(picture, Crop(x=50, y=50, side=400, angle=0.5))
    assert pixels == pytest.approx(200 / 255, abs=1e-6)


def test_a_crop_beside_the_picture_is_no_error() -> None:
    """Nothing of the picture lies in it: still an input for the network."""
    assert cut(_ramp(50, 50), Crop(x=-5000, y=-5000, side=3000, angle=0.1)).shape == (256, 256, 3)


def test_the_bounds_of_a_turned_crop_hold_its_corners() -> None:
    """The upright box around a diamond is as wide as its diagonal, as far as the picture goes."""
    bounds = Crop(x=100, y=100, side=100, angle=np.pi / 4).bounds(160, 1000)
    assert (bounds.x, bounds.y) == pytest.approx((100 - 50 * np.sqrt(2), 100 - 50 * np.sqrt(2)))
    assert bounds.right == 160
