"""Reading the pose detector: anchors, letterbox, boxes and who is the same person."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.body.detector import ANCHORS, Detection, anchors, decode_people
from services.body.frames import INPUT_SIDE, MOST_FRAMES, Frame, frames_of, prepare

_IDENTITY = [Frame(x=0, y=0, width=224, height=224, scale=1.0, left=0, top=0)]
_SILENT = -20.0


def _answer(
    *people: tuple[int, float, tuple[float, float]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The network's output for people: (anchor, logit, middle of the face in input pixels)."""
    regressors = np.zeros((1, ANCHORS, 12), np.float32)
    logits = np.full((1, ANCHORS, 1), _SILENT, np.float32)
    for anchor, logit, (x, y) in people:
        offset = np.array([x, y]) - anchors()[anchor] * INPUT_SIDE
        regressors[0, anchor, :2] = offset
        regressors[0, anchor, 2:4] = 20
        regressors[0, anchor, 4:6] = offset + np.array([0, 50])  # hips
        regressors[0, anchor, 6:8] = offset + np.array([0, -10])  # top of the circle
        logits[0, anchor] = logit
    return regressors, logits


def _centers(people: list[Detection]) -> list[tuple[float, float]]:
    return [(round(one.face.x, 3), round(one.face.y, 3)) for one in people]


def test_anchors_are_the_centres_of_the_grids() -> None:
    """2,254 anchors: two in each of 28 x 28 and 14 x 14 cells, six in each of 7 x 7."""
    places = anchors()
    assert places.shape == (ANCHORS, 2)
    assert places[0] == pytest.approx([0.5 / 28, 0.5 / 28])
    assert places[1] == pytest.approx(places[0])
    assert places[2] == pytest.approx([1.5 / 28, 0.5 / 28])
    assert places[2 * 28 * 28] == pytest.approx([0.5 / 14, 0.5 / 14])
    assert places[-1] == pytest.approx([6.5 / 7, 6.5 / 7])
    assert len({tuple(place) for place in places[-6:]}) == 1


def test_a_picture_is_centred_on_black() -> None:
    """A wide white picture has black bars above and below, and values of -1..1."""
    [tensor], [frame] = prepare(np.full((100, 200, 3), 255, np.uint8))
    assert tensor.shape == (INPUT_SIDE, INPUT_SIDE, 3)
    assert tensor.dtype == np.float32
    assert frame == Frame(x=0, y=0, width=200, height=100, scale=1.12, left=0, top=56)
    assert (tensor[:56] == -1).all()
    assert (tensor[56:168] == 1).all()
    assert (tensor[168:] == -1).all()


@given(st.integers(1, 600), st.integers(1, 600))
def test_every_picture_fits(width: int, height: int) -> None:
    """Whatever its size and shape, the whole picture lies in the input, to a pixel of the input."""
    tensors, frames = prepare(np.zeros((height, width, 3), np.uint8))
    assert tensors.shape == (len(frames), INPUT_SIDE, INPUT_SIDE, 3)
    for frame in frames:
        pixel = 1 / frame.scale
        low, high = frame.to_picture(np.array([[0.0, 0.0], [INPUT_SIDE, INPUT_SIDE]]))
        assert (low <= np.array([frame.x, frame.y]) + pixel).all()
        assert (high >= np.array([frame.x + frame.width, frame.y + frame.height]) - pixel).all()


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_frames_cover_the_picture(width: int, height: int) -> None:
    """The whole first; squares, if any, lie inside; their number is bounded."""
    whole, *squares = frames_of(width, height)
    assert (whole.x, whole.y, whole.width, whole.height) == (0, 0, width, height)
    assert len(squares) < MOST_FRAMES
    for square in squares:
        assert square.width == square.height == height
        assert 0 <= square.x <= width - height
    if squares:
        assert (squares[0].x, squares[-1].x) == (0, width - height)
        assert squares[0].scale > whole.scale


def test_only_wide_and_large_pictures_have_squares() -> None:
    """A film's frame is looked at in two halves besides; a portrait or a thumbnail only as a whole."""
    assert len(frames_of(1920, 1080)) == 3
    assert len(frames_of(1080, 1920)) == len(frames_of(250, 250)) == len(frames_of(300, 200)) == 1


def test_a_square_shows_its_part() -> None:
    """The right one of a picture that is black on the left and white on the right is white."""
    picture = np.zeros((400, 800, 3), np.uint8)
    picture[:, 400:] = 255
    (_, left, right), _ = prepare(picture)
    assert (left == -1).all()
    assert (right == 1).all()


def test_a_person_is_where_the_regressors_say() -> None:
    """Box, hips and rim are relative to the anchor, whichever answers."""
    for anchor in (0, 700, 1800, 2253):
        [person] = decode_people(*_answer((anchor, 4.0, (100.0, 60.0))), _IDENTITY)
        assert (person.face.x, person.face.y) == pytest.approx((100, 60), abs=1e-3)
        assert (person.hips.x, person.hips.y) == pytest.approx((100, 110), abs=1e-3)
        assert person.radius == pytest.approx(60, abs=1e-3)
        assert person.confidence == pytest.approx(1 / (1 + np.exp(-4)))


def test_the_letterbox_is_undone() -> None:
    """What lies at a place of the input lies at the same place of the picture."""
    frame = Frame(x=30, y=0, width=448, height=336, scale=0.5, left=0, top=28)
    [person] = decode_people(*_answer((5, 3.0, (100.0, 128.0))), [frame])
    assert (person.face.x, person.face.y) == pytest.approx((230, 200), abs=1e-3)
    assert person.radius == pytest.approx(120, abs=1e-3)


def test_several_people_are_told_apart() -> None:
    """Two faces that do not overlap are two people, the more confident one first."""
    people = decode_people(*_answer((10, 2.0, (40.0, 60.0)), (900, 5.0, (150.0, 60.0))), _IDENTITY)
    assert _centers(people) == [(150.0, 60.0), (40.0, 60.0)]


def test_overlapping_answers_are_averaged_by_confidence() -> None:
    """Three anchors that see one face give one person, nearest to where the surest sees them."""
    answer = _answer((10, 4.0, (100.0, 60.0)), (11, 4.0, (104.0, 60.0)), (800, 0.1, (106.0, 60.0)))
    [person] = decode_people(*answer, _IDENTITY)
    sure, unsure = 1 / (1 + np.exp(-4)), 1 / (1 + np.exp(-0.1))
    expected = (sure * 100 + sure * 104 + unsure * 106) / (2 * sure + unsure)
    assert person.face.x == pytest.approx(expected, abs=1e-3)
    assert person.confidence == pytest.approx(sure)


def test_a_person_in_two_frames_is_one() -> None:
    """The whole picture and a square see the same face: the surer view counts."""
    whole = Frame(x=0, y=0, width=800, height=400, scale=0.28, left=0, top=56)
    right = Frame(x=400, y=0, width=400, height=400, scale=0.56, left=0, top=0)
    place = np.array([600.0, 200.0])
    answers = [
        _answer((10, 3.0, tuple(place * 0.28 + [0, 56]))),
        _answer((11, 4.0, tuple((place - [400, 0]) * 0.56))),
    ]
    regressors, logits = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    [person] = decode_people(regressors, logits, [whole, right])
    assert (person.face.x, person.face.y) == pytest.approx((600, 200), abs=1e-3)
    assert person.radius == pytest.approx(60 / 0.56, abs=1e-3)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_higher_threshold_never_finds_more(first: float, second: float) -> None:
    """People at a threshold are among those at a lower one."""
    answer = _answer((0, -1.0, (30.0, 30.0)), (700, 0.5, (90.0, 90.0)), (1600, 3.0, (160.0, 160.0)))
    low, high = sorted((first, second))
    of_low = _centers(decode_people(*answer, _IDENTITY, threshold=low))
    of_high = _centers(decode_people(*answer, _IDENTITY, threshold=high))
    assert set(of_high) <= set(of_low)


def test_nobody_is_a_valid_answer() -> None:
    """All anchors silent: no people, and no error."""
    assert decode_people(*_answer(), _IDENTITY) == []


def test_extreme_values_do_not_overflow() -> None:
    """Logits beyond what exp can hold are a confidence of 0 or 1."""
    regressors, logits = _answer((3, 5000.0, (50.0, 50.0)))
    logits[0, 7] = -5000.0
    [person] = decode_people(regressors, logits, _IDENTITY)
    assert person.confidence == pytest.approx(1.0)
