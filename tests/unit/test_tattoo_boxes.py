"""The letterbox of a YOLO detector, and which of its boxes are tattoos."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chassis.errors import ModelError
from services.tattoo.box_layouts import PLACES, Candidates, read_candidates
from services.tattoo.boxes import BOX_SIDE, letterbox_centred, select_tattoos
from services.tattoo.detect import Detection
from tests.fakes.yolo_exports import Layout, SpokenBox, predictions


def picture(width: int, height: int, value: int = 255) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


def selected(
    *boxes: SpokenBox, width: int = 640, height: int = 640, threshold: float = 0.5, most: int = 16
) -> list[Detection]:
    candidates = read_candidates("m", {"output0": predictions("v8", boxes)})
    frame = letterbox_centred(picture(width, height))
    return select_tattoos(candidates, frame, threshold=threshold, overlap=0.45, most=most)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (100, 100), (3000, 20), (1, 1)])
def test_the_picture_is_in_the_middle_of_grey(width: int, height: int) -> None:
    """The longer side becomes 640 pixels, and both paddings differ by one pixel at most."""
    frame = letterbox_centred(picture(width, height))
    assert frame.tensor.shape == (3, BOX_SIDE, BOX_SIDE)
    assert frame.tensor.dtype == np.float32
    assert frame.tensor.flags["C_CONTIGUOUS"]
    is_inside = frame.tensor[0] == 1.0
    rows, columns = np.flatnonzero(is_inside.any(axis=1)), np.flatnonzero(is_inside.any(axis=0))
    assert (rows[0], columns[0]) == (frame.top, frame.left)
    assert max(len(rows), len(columns)) == BOX_SIDE
    assert abs(len(rows) - max(1, height * frame.scale)) <= 1
    assert abs((BOX_SIDE - len(rows)) - 2 * frame.top) <= 1
    assert frame.tensor[~np.broadcast_to(is_inside, frame.tensor.shape)] == pytest.approx(114 / 255)


def test_values_are_0_to_1_red_first() -> None:
    """No mean is taken off, unlike from the input of the heat map."""
    red = picture(64, 64, 0)
    red[..., 0] = 255
    assert letterbox_centred(red).tensor[:, 300, 300].tolist() == [1, 0, 0]


@pytest.mark.parametrize("layout", ["v5", "v8"])
def test_both_layouts_say_the_same(layout: Layout) -> None:
    """Boxes and scores of the likeliest class, whichever way the array is turned."""
    boxes = [SpokenBox(100, 200, 30, 40, 0.9, class_index=2), SpokenBox(320, 320, 640, 64, 0.25)]
    candidates = read_candidates("m", {"output0": predictions(layout, boxes, classes=3)})
    said = candidates.scores > 0
    assert candidates.boxes[said].tolist() == [[100, 200, 30, 40], [320, 320, 640, 64]]
    assert candidates.scores[said] == pytest.approx([0.9, 0.25])


def test_objectness_counts_in_the_older_layout() -> None:
    """YOLOv5's score is objectness times class probability."""
    box = SpokenBox(100, 200, 30, 40, 0.8, objectness=0.5)
    assert read_candidates("m", {"x": predictions("v5", [box])}).scores.max() == pytest.approx(0.4)


@pytest.mark.parametrize(
    "shape",
    [
        (1, 25200, 5),  # YOLOv5 without a class
        (1, 4, PLACES),  # YOLOv8 without a class
        (1, PLACES, 5),  # turned round
        (1, 300, 6),  # overlaps already removed
        (1, 6300, 6),  # for 320 pixels
        (25200, 6),
        (2, 5, PLACES),
        (1, 5, 80, 80),
        (1, 0, 0),
    ],
)
def test_another_shape_is_refused_and_told(shape: tuple[int, ...]) -> None:
    """The message has the model, what it gave, and what would have been right."""
    with pytest.raises(ModelError, match=r"mine.*YOLOv5.*YOLOv8.*output0 " + "x".join(map(str, shape))):
        read_candidates("mine", {"output0": np.zeros(shape, np.float32)})


def test_two_outputs_that_fit_are_refused() -> None:
    """Which of them is meant cannot be known."""
    output = predictions("v8", [])
    with pytest.raises(ModelError, match="a 1x5x8400, b 1x5x8400"):
        read_candidates("m", {"a": output, "b": output})
    with pytest.raises(ModelError, match="no output"):
        read_candidates("m", {})


@pytest.mark.parametrize("value", [np.nan, np.inf, 3.0, -1.0])
@pytest.mark.parametrize("layout", ["v5", "v8"])
def test_scores_that_are_no_probabilities_are_refused(layout: Layout, value: float) -> None:
    """NaN, or log odds of an export without its sigmoid."""
    output = predictions(layout, [SpokenBox(10, 10, 10, 10, value)])
    with pytest.raises(ModelError, match=r"model m: its (output is not finite|scores are no probabilities)"):
        read_candidates("m", {"output0": output})


def test_a_box_that_is_not_finite_is_refused() -> None:
    """Even where nobody would look at it."""
    output = predictions("v8", [SpokenBox(np.nan, 10, 10, 10, 0.1)])
    with pytest.raises(ModelError, match="not finite"):
        read_candidates("m", {"output0": output})


def test_a_box_comes_back_in_pixels_of_the_picture() -> None:
    """A picture of 1280 x 720 is halved and has 140 pixels of padding above."""
    (tattoo,) = selected(SpokenBox(320, 320, 100, 60, 0.9), width=1280, height=720)
    assert (tattoo.box.x, tattoo.box.y) == (540, 300)
    assert (tattoo.box.width, tattoo.box.height) == (200, 120)
    assert tattoo.confidence == pytest.approx(0.9)
    assert tattoo.outline == ()


def test_boxes_end_where_the_picture_does() -> None:
    """What lies in the padding, or has no size, is no tattoo."""
    crossing = SpokenBox(0, 140, 100, 40, 0.9)
    padding = SpokenBox(320, 60, 100, 100, 0.9)
    flat = SpokenBox(320, 320, -50, 40, 0.9)
    (tattoo,) = selected(crossing, padding, flat, width=1280, height=720)
    assert (tattoo.box.x, tattoo.box.y, tattoo.box.right, tattoo.box.bottom) == (0, 0, 100, 40)


def test_of_boxes_on_one_tattoo_the_surest_stays() -> None:
    """Overlaps below the limit are two tattoos."""
    surest, same = SpokenBox(200, 200, 100, 100, 0.9), SpokenBox(205, 200, 100, 100, 0.7)
    beside = SpokenBox(280, 200, 100, 100, 0.6)
    found = selected(same, surest, beside)
    assert sorted(round(one.confidence, 2) for one in found) == [0.6, 0.9]


def test_the_threshold_decides() -> None:
    """From it on a box is a tattoo."""
    box = SpokenBox(200, 200, 100, 100, 0.5)
    assert len(selected(box, threshold=0.5)) == 1
    assert selected(box, threshold=0.51) == []


def test_the_largest_come_first_and_so_many_are_told() -> None:
    """Not the surest: the service describes the largest."""
    boxes = [SpokenBox(60 * n, 60 * n, 10 + 3 * n, 20, 0.9 - n / 20) for n in range(1, 9)]
    areas = [one.box.area for one in selected(*boxes, most=4)]
    assert areas == sorted(areas, reverse=True)
    assert areas == pytest.approx([(10 + 3 * n) * 20 for n in (8, 7, 6, 5)])


def test_an_output_that_is_all_boxes_is_read_in_bounds() -> None:
    """A broken file that is sure of everything gives at most so many tattoos."""
    rng = np.random.default_rng(0)
    boxes = rng.uniform(0, 640, (25200, 4)).astype(np.float32)
    candidates = Candidates(boxes, np.ones(25200, np.float32))
    frame = letterbox_centred(picture(640, 640))
    assert len(select_tattoos(candidates, frame, threshold=0.5, overlap=0.45, most=16)) <= 16


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 2000), height=st.integers(1, 2000))
def test_any_output_gives_boxes_inside_the_picture(seed: int, width: int, height: int) -> None:
    """Positive sides inside the picture, no two of them alike, confidence between the threshold and 1."""
    rng = np.random.default_rng(seed)
    boxes = rng.normal(300, 400, (60, 4)).astype(np.float32)
    candidates = Candidates(boxes, rng.random(60, dtype=np.float32))
    frame = letterbox_centred(picture(width, height))
    found = select_tattoos(candidates, frame, threshold=0.3, overlap=0.45, most=60)
    for tattoo in found:
        box = tattoo.box
        assert min(box.width, box.height) > 0
        assert min(box.x, box.y) >= 0
        assert box.right <= width + 1e-6
        assert box.bottom <= height + 1e-6
        assert 0.3 <= tattoo.confidence <= 1
    for number, one in enumerate(found):
        assert all(one.box.iou(other.box) <= 0.45 + 1e-3 for other in found[:number])
