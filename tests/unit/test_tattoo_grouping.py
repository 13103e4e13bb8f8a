"""Which tattoo a new view shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.signal.operating_point import OperatingPoint
from services.tattoo.grouping import StoredView, View, tattoo_of

_POINT = OperatingPoint(
    impostor_p99=0.5, genuine_median=0.8, identification_confidence=1.0, provenance="a test"
)


def _view(cosine: float = 1.0, *, region: str = "chest", image: str = "new") -> View:
    """`cosine`: to a view made with 1.0."""
    vector = np.array([cosine, np.sqrt(1 - cosine**2)], np.float32)
    return View(image, region, vector)


def _stored(tattoo_id: str, cosine: float, *, region: str = "chest", image: str = "old") -> StoredView:
    return StoredView(tattoo_id, _view(cosine, region=region, image=image))


def test_a_view_joins_the_most_similar_tattoo() -> None:
    """Of two that are similar enough."""
    assert tattoo_of(_view(), [_stored("a", 0.7), _stored("b", 0.9)], _POINT) == "b"


@pytest.mark.parametrize(("cosine", "found"), [(0.51, "a"), (0.49, None)])
def test_less_similar_than_strangers_reach_is_a_new_tattoo(cosine: float, found: str | None) -> None:
    """The limit is the impostors' 99th percentile."""
    assert tattoo_of(_view(), [_stored("a", cosine)], _POINT) == found


def test_all_views_of_a_tattoo_have_a_say() -> None:
    """One view that is alike by chance does not outvote two that are not."""
    views = [_stored("a", 0.6), _stored("a", 0.3), _stored("a", 0.3)]
    assert tattoo_of(_view(), views, _POINT) is None


def test_a_tattoo_elsewhere_is_another_one() -> None:
    """However alike: people have the same design on both arms."""
    assert (
        tattoo_of(_view(region="left_forearm"), [_stored("a", 1.0, region="right_forearm")], _POINT) is None
    )


@pytest.mark.parametrize(("region", "stored"), [("unknown", "chest"), ("chest", "unknown")])
def test_an_unknown_place_agrees_with_any(region: str, stored: str) -> None:
    """On either side."""
    assert tattoo_of(_view(region=region), [_stored("a", 0.9, region=stored)], _POINT) == "a"


def test_one_known_place_decides_for_the_tattoo() -> None:
    """A tattoo of which one view is known to be elsewhere is elsewhere."""
    views = [_stored("a", 0.9, region="unknown"), _stored("a", 0.9, region="neck")]
    assert tattoo_of(_view(region="chest"), views, _POINT) is None


def test_two_tattoos_of_one_image_are_two() -> None:
    """They are side by side, so neither is a view of the other."""
    assert tattoo_of(_view(image="same"), [_stored("a", 1.0, image="same")], _POINT) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=8))
def test_a_tattoo_is_chosen_only_if_it_is_similar_enough(views: list[tuple[str, float]]) -> None:
    """For any views: the best mean wins, and only above the limit."""
    chosen = tattoo_of(_view(), [_stored(tattoo_id, cosine) for tattoo_id, cosine in views], _POINT)
    means = {
        tattoo_id: float(np.mean([cosine for other, cosine in views if other == tattoo_id]))
        for tattoo_id, _ in views
    }
    if chosen is None:
        assert all(mean <= 0.5 + 1e-6 for mean in means.values())
    else:
        assert means[chosen] == pytest.approx(max(means.values()), abs=1e-6)
        assert means[chosen] > 0.5 - 1e-6
