"""Stored observations are found again by their place: one to one, the best pairs first, nothing far off."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.geometry import Box
from gateway.backfill.matching import LEAST_OVERLAP, matched

# Whole pixels: then a box overlaps itself by exactly 1.
_sides = st.integers(1, 100)
_places = st.integers(-50, 150)
_boxes = st.lists(st.builds(Box, _places, _places, _sides, _sides), max_size=8)


def test_the_same_places_are_found() -> None:
    """Whatever the order in which they are seen, and whatever else is seen."""
    face, tattoo, poster = Box(0, 0, 10, 10), Box(50, 0, 10, 10), Box(0, 90, 10, 10)
    assert matched([face, tattoo], [poster, tattoo, face]) == {0: 2, 1: 1}


def test_a_detector_may_move_a_little() -> None:
    """From half of the union on; under it, it is something else."""
    stored = Box(0, 0, 10, 10)
    assert matched([stored], [Box(0, 0, 20, 10)]) == {0: 0}
    assert matched([stored], [Box(0, 0, 20.1, 10)]) == {}
    assert matched([stored], []) == {}


def test_the_best_pair_comes_first() -> None:
    """A place that fits two stored ones goes to the nearer one, and the other takes the next or nothing."""
    first, second = Box(0, 0, 10, 10), Box(1, 0, 10, 10)
    assert matched([first, second], [Box(1, 0, 10, 10)]) == {1: 0}
    assert matched([first, second], [Box(1, 0, 10, 10), Box(2, 0, 10, 10)]) == {0: 1, 1: 0}


def test_equal_pairs_are_taken_in_order() -> None:
    """Two detections of one place: the first; and the answer is the same every time."""
    box = Box(0, 0, 10, 10)
    assert matched([box], [box, box]) == {0: 0}
    assert matched([box, box], [box]) == {0: 0}


@given(stored=_boxes, seen=_boxes)
def test_pairs_are_one_to_one_and_overlap(stored: list[Box], seen: list[Box]) -> None:
    """Nothing is used twice, nothing is paired that does not overlap enough."""
    places = matched(stored, seen)
    assert len(set(places.values())) == len(places)
    assert all(stored[at].iou(seen[found]) >= LEAST_OVERLAP for at, found in places.items())


@given(stored=_boxes, seen=_boxes)
def test_no_pair_is_left_over(stored: list[Box], seen: list[Box]) -> None:
    """What stays without a partner has no free box at its place, and no worse pair holds its partner."""
    places = matched(stored, seen)
    overlap_of = {found: stored[at].iou(seen[found]) for at, found in places.items()}
    for at in set(range(len(stored))) - set(places):
        for found, box in enumerate(seen):
            overlap = stored[at].iou(box)
            assert overlap < LEAST_OVERLAP or overlap_of[found] >= overlap


@given(boxes=_boxes)
def test_an_unchanged_picture_finds_everything(boxes: list[Box]) -> None:
    """The same boxes again: every one has a partner at exactly its place."""
    places = matched(boxes, boxes)
    assert {at: boxes[found] for at, found in places.items()} == dict(enumerate(boxes))
