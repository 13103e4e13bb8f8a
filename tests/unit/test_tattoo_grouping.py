"""Which views show the same tattoo."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.signal.operating_point import OperatingPoint
from services.tattoo.grouping import View, arranged, grouped

_POINT = OperatingPoint(
    impostor_p99=0.5, genuine_median=0.8, identification_confidence=1.0, provenance="a test"
)


def _view(
    angle: float = 0.0,
    *,
    key: str = "k",
    region: str = "chest",
    image: str = "",
    tattoo: str = "",
    is_pinned: bool = False,
) -> View:
    """`angle`: degrees; the cosine of two views' difference is their similarity. 60 degrees are the limit."""
    vector = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))], np.float32)
    return View(key, image or key, region, vector, tattoo or f"tattoo of {key}", is_pinned)


def _partition(views: Sequence[View]) -> set[frozenset[str]]:
    """The keys that are together."""
    return {frozenset(views[place].key for place in group) for group in grouped(views, _POINT)}


def _together(*views: View) -> bool:
    return len(_partition(views)) == 1


@pytest.mark.parametrize(("angle", "is_one"), [(59.0, True), (61.0, False)])
def test_less_similar_than_strangers_reach_is_another_tattoo(angle: float, is_one: bool) -> None:
    """The limit is the impostors' 99th percentile, a cosine of 0.5."""
    assert _together(_view(key="a"), _view(angle, key="b")) is is_one


def test_a_view_joins_the_most_similar_tattoo() -> None:
    """Of two that are similar enough."""
    views = [_view(0, key="a"), _view(80, key="b"), _view(50, key="c")]
    assert _partition(views) == {frozenset("a"), frozenset("bc")}


def test_all_views_of_a_tattoo_have_a_say() -> None:
    """One view that is alike by chance does not outvote two that are not."""
    views = [_view(0, key="a"), _view(5, key="b"), _view(50, key="c"), _view(105, key="d")]
    assert _partition(views) == {frozenset("abc"), frozenset("d")}


def test_a_tattoo_elsewhere_is_another_one() -> None:
    """However alike: people have the same design on both arms."""
    assert not _together(_view(key="a", region="left_forearm"), _view(key="b", region="right_forearm"))


def test_an_unknown_place_agrees_with_one_of_two() -> None:
    """With the more similar one, and does not join them."""
    views = [
        _view(0, key="a", region="left_forearm"),
        _view(20, key="b", region="right_forearm"),
        _view(15, key="c", region="unknown"),
    ]
    assert _partition(views) == {frozenset("a"), frozenset("bc")}


def test_two_in_one_image_are_two() -> None:
    """Somebody has the same design twice."""
    assert not _together(_view(key="a", image="one"), _view(key="b", image="one"))


def test_what_the_owner_put_together_is_together_and_apart() -> None:
    """Whatever it looks like, where it is, and how it was seen."""
    together = [
        _view(0, key="a", tattoo="x", image="i", is_pinned=True),
        _view(170, key="b", tattoo="x", image="i", region="neck", is_pinned=True),
    ]
    apart = [_view(key="c", tattoo="y", is_pinned=True), _view(key="d", tattoo="z", is_pinned=True)]
    assert _partition([*together, *apart]) == {frozenset("ab"), frozenset("c"), frozenset("d")}


def test_a_new_view_joins_what_the_owner_pinned() -> None:
    """And takes its id; the pinned views keep theirs, though others are more."""
    views = [
        _view(0, key="a", tattoo="x", is_pinned=True),
        *(_view(3, key=key, tattoo="y") for key in ("b", "c")),
    ]
    assert arranged(views, _POINT) == ["x", "x", "x"]


def test_ids_stay_where_most_views_are() -> None:
    """Two tattoos that turn out to be one keep the larger one's id; one that falls apart gets a new id."""
    joined = [_view(0, key="a", tattoo="x"), *(_view(1, key=key, tattoo="y") for key in ("b", "c"))]
    assert arranged(joined, _POINT) == ["y", "y", "y"]
    parted = [_view(90, key="a", tattoo="y"), *(_view(1, key=key, tattoo="y") for key in ("b", "c"))]
    assert arranged(parted, _POINT, new_id=lambda: "new") == ["new", "y", "y"]


def test_of_two_ids_the_older_one_stays() -> None:
    """As many views each: the row that was there first decides."""
    views = [
        dataclasses.replace(_view(key="a", tattoo="a new one"), seq=2),
        dataclasses.replace(_view(key="b", tattoo="the old one"), seq=1),
    ]
    assert set(arranged(views, _POINT)) == {"the old one"}


def test_nothing_is_in_no_group() -> None:
    """No views, no tattoos."""
    assert arranged([], _POINT) == []


_VIEWS = st.lists(
    st.tuples(
        st.floats(0, 360),
        st.sampled_from(["unknown", "chest", "left_forearm", "right_forearm"]),
        st.integers(0, 5),
        st.sampled_from(["", "", "", "p", "q"]),
    ),
    max_size=9,
).map(
    lambda drawn: [
        _view(angle, key=f"{place}", region=region, image=f"image {image}", tattoo=pin, is_pinned=bool(pin))
        for place, (angle, region, image, pin) in enumerate(drawn)
    ]
)


@given(_VIEWS, st.randoms(use_true_random=False), st.integers(1, 4))
def test_the_order_of_enrolment_changes_nothing(views: list[View], random: object, portion: int) -> None:
    """In any order, in portions of any size, each arranged when it comes: the same views are together."""
    shuffled = list(views)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    here: list[View] = []
    for start in range(0, len(shuffled), portion):
        here += shuffled[start : start + portion]
        ids = arranged(here, _POINT)
        here = [dataclasses.replace(view, tattoo_id=one) for view, one in zip(here, ids, strict=True)]
    at_last = {frozenset(view.key for view in here if view.tattoo_id == one.tattoo_id) for one in here}
    assert at_last == _partition(views)


@given(_VIEWS)
def test_arranging_again_changes_nothing(views: list[View]) -> None:
    """What is arranged is at rest, and no two groups share an id."""
    ids = arranged(views, _POINT)
    again = [dataclasses.replace(view, tattoo_id=one) for view, one in zip(views, ids, strict=True)]
    assert arranged(again, _POINT) == ids
    assert len(set(ids)) == len(_partition(views))


@given(_VIEWS)
def test_what_cannot_be_one_never_is(views: list[View]) -> None:
    """Neither two known places nor two of one image in a group, but by the owner's word."""
    for group in grouped(views, _POINT):
        for first, second in itertools.combinations([views[place] for place in group], 2):
            if not (first.is_pinned and second.is_pinned):
                assert first.image_hash != second.image_hash
                assert len({first.region, second.region} - {"unknown"}) < 2
