"""Looks at a picture in several sizes, and what must agree before a box is a tattoo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chassis.errors import ModelError
from services.tattoo.boxes import BoxFrame
from services.tattoo.detect import Detection, Heat, ink_inside, outline_inside
from services.tattoo.looks import Boxes, Looked, looks_at, read_boxes, tattoos_of

SIDE = 800
"""Width and height of the picture in most tests."""

Corners = tuple[float, float, float, float]

SMALL: Corners = (100, 100, 200, 180)
LARGE: Corners = (200, 200, 700, 700)


def boxes(*found: tuple[Corners, float]) -> Boxes:
    corners = np.array([corners for corners, _ in found], np.float64).reshape(-1, 4)
    return Boxes(corners, np.array([score for _, score in found], np.float64))


def warm(value: float = 0.9, *, within: Corners = (0, 0, SIDE, SIDE)) -> Heat:
    """A heat map of 80 x 80 places for the picture, warm inside a box."""
    values = np.full((80, 80), 0.01, np.float32)
    left, top, right, bottom = (int(value / 10) for value in within)
    values[top:bottom, left:right] = value
    return Heat(values, 10.0, SIDE, SIDE)


def found(looked: Looked, *, threshold: float = 0.4, most: int = 16) -> list[Detection]:
    return tattoos_of(looked, threshold=threshold, edge=0.4, overlap=0.45, most=most)


def looked(fine: Boxes, middle: Boxes, coarse: Boxes, heat: Heat | None = None) -> Looked:
    return Looked({640: fine, 320: middle, 224: coarse}, heat or warm())


@pytest.mark.parametrize(
    ("width", "height", "rows", "columns"),
    [
        (1920, 1080, 384, 640),
        (1080, 1920, 640, 384),
        (400, 400, 640, 640),
        (3000, 20, 32, 640),
        (900, 1, 32, 640),
    ],
)
def test_a_look_keeps_the_aspect_and_fills_with_grey(
    width: int, height: int, rows: int, columns: int
) -> None:
    """The picture is in the middle; the fine look has no more than it needs, the others are square."""
    looks = looks_at(np.full((height, width, 3), 255, np.uint8))
    assert list(looks) == [640, 320, 224]
    shapes = [look.tensor.shape for look in looks.values()]
    assert shapes == [(3, rows, columns), (3, 320, 320), (3, 224, 224)]
    for side, look in looks.items():
        assert look.tensor.flags["C_CONTIGUOUS"]
        assert look.scale == pytest.approx(side / max(width, height))
        seen = [max(1, round(length * side / max(width, height))) for length in (height, width)]
        inside = np.zeros(look.tensor.shape, np.bool_)
        inside[:, look.top : look.top + seen[0], look.left : look.left + seen[1]] = True
        assert (look.tensor[inside] == 1).all()
        assert look.tensor[~inside] == pytest.approx(114 / 255)


@pytest.mark.parametrize(("width", "height"), [(250, 250), (300, 20), (1, 1)])
def test_a_small_picture_has_no_fine_look(width: int, height: int) -> None:
    """There is nothing more to be seen in it."""
    assert list(looks_at(np.zeros((height, width, 3), np.uint8))) == [320, 224]


def _output(*places: tuple[float, float, float, float, float]) -> dict[str, NDArray[np.float32]]:
    return {"boxes": np.array(places, np.float32).reshape(-1, 5).T[None]}


def _look() -> BoxFrame:
    return looks_at(np.zeros((SIDE, SIDE, 3), np.uint8))[320]


def test_boxes_come_back_in_pixels_of_the_picture() -> None:
    """Surest first, cut at the edges; what says nothing or lies in the padding is none."""
    places = [(100, 60, 40, 20, 0.3), (0, 100, 40, 20, 0.9), (50, 50, 9, 9, 0.01), (400, 400, 9, 9, 0.9)]
    read = read_boxes("m", _output(*places), _look())
    assert read.corners.tolist() == [[0, 225, 50, 275], [200, 125, 300, 175]]
    assert read.scores == pytest.approx([0.9, 0.3])


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"other": np.zeros((1, 5, 9), np.float32)},
        {"boxes": np.zeros((1, 6, 9), np.float32)},
        {"boxes": np.zeros((5, 9), np.float32)},
        {"boxes": np.full((1, 5, 9), np.nan, np.float32)},
    ],
)
def test_a_network_that_gives_something_else_is_named(outputs: dict[str, NDArray[np.float32]]) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(ModelError, match="model mine: it has no output boxes"):
        read_boxes("mine", outputs, _look())


def test_a_small_tattoo_is_seen_in_the_two_finer_looks() -> None:
    """Its confidence is the geometric mean of the scores, its place the mean weighted by them."""
    [tattoo] = found(looked(boxes((SMALL, 0.8)), boxes(((113, 87, 213, 193), 0.5)), boxes(), warm(0.0)))
    assert (tattoo.box.x, tattoo.box.y, tattoo.box.right, tattoo.box.bottom) == (105, 95, 205, 185)
    assert tattoo.confidence == pytest.approx(np.sqrt(0.8 * 0.5))
    assert tattoo.outline == ()


@pytest.mark.parametrize("other", [boxes(), boxes(((400, 100, 500, 180), 0.9))])
def test_what_one_look_alone_sees_is_none(other: Boxes) -> None:
    """However sure it is; a box elsewhere is another one."""
    assert found(looked(boxes((SMALL, 0.99)), other, boxes())) == []
    assert found(looked(boxes(), boxes((LARGE, 0.99)), boxes(((0, 0, 300, 300), 0.9)))) == []


def test_a_large_tattoo_is_seen_in_the_two_coarser_looks_and_by_its_ink() -> None:
    """(p q)^(1/8) h^(1/4), outlined where the ink is."""
    inked = (200.0, 200.0, 700.0, 450.0)
    [tattoo] = found(looked(boxes(), boxes((LARGE, 0.5)), boxes((LARGE, 0.3)), warm(0.9, within=inked)))
    ink = (0.9 + 0.01) / 2
    assert tattoo.confidence == pytest.approx((0.5 * 0.3) ** 0.125 * ink**0.25, abs=1e-4)
    assert (tattoo.box.x, tattoo.box.bottom) == (200, 700)
    assert max(point.y for point in tattoo.outline) <= 450


def test_a_large_box_without_ink_is_none() -> None:
    """Patterned cloth: both looks are sure, the heat map is not."""
    both = boxes((LARGE, 0.7))
    assert found(looked(both, both, both, warm(0.0))) == []


def test_without_a_fine_look_small_tattoos_are_not_seen() -> None:
    """A small box is none, and a large one is judged as ever."""
    both = boxes((LARGE, 0.5), (SMALL, 0.9))
    [tattoo] = found(Looked({320: both, 224: both}, warm()))
    assert tattoo.box.width == 500


def test_of_boxes_on_one_tattoo_the_surest_stays_and_the_largest_come_first() -> None:
    """At most so many are told."""
    near = (220.0, 180.0, 740.0, 720.0)
    middle = boxes((LARGE, 0.5), (near, 0.9), (SMALL, 0.9))
    coarse = boxes((near, 0.5))
    seen = found(looked(boxes((SMALL, 0.9)), middle, coarse))
    assert [one.box.width for one in seen] == [520, 100]
    assert len(found(looked(boxes((SMALL, 0.9)), middle, coarse), most=1)) == 1


def test_ink_is_the_mean_inside_a_box() -> None:
    """Boxes of less than a place count as the place they are in."""
    heat = warm(0.8, within=(0, 0, 400, 800))
    corners = np.array([(0, 0, 400, 800), (200, 0, 600, 100), (799.5, 799.5, 800, 800), (3, 3, 4, 4)], float)
    assert ink_inside(heat, corners) == pytest.approx([0.8, (0.8 + 0.01) / 2, 0.01, 0.8], abs=1e-4)


def test_an_outline_stays_in_its_box() -> None:
    """Of the largest region only."""
    heat = warm(0.8, within=(0, 0, 400, 800))
    outline = outline_inside(heat, np.array([200.0, 100.0, 600.0, 300.0]), edge=0.4)
    assert min(point.x for point in outline) >= 200
    assert max(point.x for point in outline) <= 400
    assert 100 <= min(point.y for point in outline) < max(point.y for point in outline) <= 300
    assert outline_inside(heat, np.array([500.0, 100.0, 600.0, 300.0]), edge=0.4) == ()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 2000), height=st.integers(1, 2000))
def test_whatever_the_networks_say_boxes_lie_inside_the_picture(seed: int, width: int, height: int) -> None:
    """Positive sides, confidence between the threshold and 1, no two alike."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.uint8)
    seen = {}
    for side, look in looks_at(picture).items():
        places = np.concatenate([rng.normal(150, 200, (4, 80)), rng.random((1, 80))])[None]
        seen[side] = read_boxes("m", {"boxes": places.astype(np.float32)}, look)
    longer = max(width, height)
    heat = Heat(rng.random((80, 80), dtype=np.float32), longer / 80, width, height)
    tattoos = tattoos_of(Looked(seen, heat), threshold=0.3, edge=0.4, overlap=0.45, most=100)
    for tattoo in tattoos:
        assert min(tattoo.box.width, tattoo.box.height) > 0
        assert min(tattoo.box.x, tattoo.box.y) >= 0
        assert tattoo.box.right <= width + 1e-6
        assert tattoo.box.bottom <= height + 1e-6
        assert 0.3 <= tattoo.confidence <= 1
    for number, one in enumerate(tattoos):
        assert all(one.box.iou(other.box) <= 0.45 + 1e-3 for other in tattoos[:number])
