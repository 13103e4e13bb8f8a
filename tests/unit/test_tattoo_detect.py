"""The detector's input and what becomes of its heat map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.tattoo.detect import CELL, SIDE, Detection, find_tattoos, letterbox

CELLS = SIDE // CELL


def picture(width: int, height: int, value: int = 200) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


def heatmap(*blocks: tuple[slice, slice, float]) -> NDArray[np.float32]:
    """A cold map with warm blocks: rows, columns, probability."""
    heat = np.full((1, CELLS, CELLS), 0.01, np.float32)
    for rows, columns, value in blocks:
        heat[0, rows, columns] = value
    return heat


def found(
    heat: NDArray[np.float32], width: int = 640, height: int = 640, **options: float
) -> list[Detection]:
    chosen = {"threshold": 0.8, "edge": 0.4, **options}
    return find_tattoos(
        heat, letterbox(picture(width, height)), threshold=chosen["threshold"], edge=chosen["edge"]
    )


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (100, 100), (3000, 20), (1, 1)])
def test_letterbox_keeps_the_aspect_and_fills_with_grey(width: int, height: int) -> None:
    """The longer side becomes 320, the picture is at the top left, the rest is padding."""
    frame = letterbox(picture(width, height, 255))
    assert frame.tensor.shape == (3, SIDE, SIDE)
    assert frame.tensor.flags["C_CONTIGUOUS"]
    inside = np.isclose(frame.tensor[0], (1 - 0.485) / 0.229, atol=1e-4)
    columns, rows = max(1, round(width * frame.scale)), max(1, round(height * frame.scale))
    assert frame.scale == SIDE / max(width, height)
    assert inside[:rows, :columns].all()
    assert inside.sum() == rows * columns


def test_letterbox_normalises_red_first() -> None:
    """Channel 0 is red, normalised by ImageNet's mean and deviation."""
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    tensor = letterbox(red).tensor
    assert tensor[:, 10, 10] == pytest.approx([(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225], abs=1e-5)


def test_a_warm_block_becomes_one_box_in_pixels_of_the_picture() -> None:
    """Cells 4..8 of 20 in a 640 pixel picture are pixels 128..288, up to a cell's error."""
    (tattoo,) = found(heatmap((slice(4, 9), slice(10, 15), 0.95)))
    assert [tattoo.box.x, tattoo.box.y] == pytest.approx([320, 128], abs=32)
    assert [tattoo.box.right, tattoo.box.bottom] == pytest.approx([480, 288], abs=32)
    assert tattoo.confidence == pytest.approx(0.95, abs=0.01)
    assert len(tattoo.outline) >= 3
    assert all(0 <= point.x <= 640 and 0 <= point.y <= 640 for point in tattoo.outline)


def test_a_lone_warm_cell_is_no_tattoo() -> None:
    """Averaging with its neighbours takes a single cell below the threshold."""
    assert found(heatmap((slice(5, 6), slice(5, 6), 0.99))) == []


def test_a_lukewarm_region_is_no_tattoo() -> None:
    """A region above the edge whose peak stays below the threshold is dropped."""
    heat = heatmap((slice(4, 9), slice(4, 9), 0.7))
    assert found(heat) == []
    assert len(found(heat, threshold=0.6)) == 1


def test_two_regions_are_two_tattoos_largest_first() -> None:
    """Regions that do not touch are told apart and sorted by area."""
    small, large = (slice(1, 4), slice(1, 4), 0.95), (slice(10, 18), slice(10, 18), 0.9)
    first, second = found(heatmap(small, large))
    assert first.box.area > second.box.area
    assert first.box.intersection(second.box).area == 0


def test_padding_holds_no_tattoo() -> None:
    """Heat below a wide picture lies outside it and is ignored; boxes never leave the picture."""
    assert found(heatmap((slice(12, 19), slice(4, 9), 0.99)), width=640, height=320) == []
    (cut,) = found(heatmap((slice(4, 19), slice(4, 9), 0.99)), width=640, height=320)
    assert cut.box.bottom <= 320


def test_at_most_so_many_are_told() -> None:
    """The smallest regions beyond the limit are left out."""
    blocks = [(slice(r, r + 3), slice(c, c + 3), 0.95) for r in (1, 8, 15) for c in (1, 8, 15)]
    frame = letterbox(picture(640, 640))
    assert len(find_tattoos(heatmap(*blocks), frame, threshold=0.5, edge=0.4, most=4)) == 4


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 2000), height=st.integers(1, 2000))
def test_any_heat_map_gives_boxes_inside_the_picture(seed: int, width: int, height: int) -> None:
    """Boxes have positive sides inside the picture, confidence between the threshold and 1."""
    heat = np.random.default_rng(seed).random((1, CELLS, CELLS), dtype=np.float32) ** 2
    for tattoo in found(heat, width, height, threshold=0.5):
        assert tattoo.box.width > 0
        assert tattoo.box.height > 0
        assert tattoo.box.x >= 0
        assert tattoo.box.y >= 0
        assert tattoo.box.right <= width + 1e-6
        assert tattoo.box.bottom <= height + 1e-6
        assert 0.5 <= tattoo.confidence <= 1
