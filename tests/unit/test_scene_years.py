"""When a scene was made, in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.scene_years import likely_years, scene_years_text
from client.values import SceneYear


def _years(first: int, *probabilities: float) -> list[SceneYear]:
    return [SceneYear(year, each) for year, each in enumerate(probabilities, start=first)]


@pytest.mark.parametrize(
    ("years", "told"),
    [
        (_years(2014, 0.05, 0.05, 0.2, 0.3, 0.2, 0.2), "made in 2016 to 2019, 90%"),
        (_years(2018, 1.0), "made in 2018, 100%"),
        (_years(2017, 0.02, 0.95, 0.03), "made in 2018, 95%"),
        (_years(2017, 0.0, 1.0, 0.0), "made in 2018, 100%"),
        ([SceneYear(2010, 0.5), SceneYear(2020, 0.5)], "made in 2010 to 2020, 100%"),
        ([], ""),
        (_years(2017, 0.0, 0.0), ""),
    ],
)
def test_the_shortest_span_that_is_sure_enough(years: list[SceneYear], told: str) -> None:
    """Nine tenths at the least; "" where nothing is told."""
    assert scene_years_text(years) == told


@given(st.lists(st.floats(min_value=0.001, max_value=1), min_size=1, max_size=12))
def test_the_span_has_what_it_says(weights: list[float]) -> None:
    """Its probability is that of its years, and enough."""
    total = sum(weights)
    years = _years(2000, *(each / total for each in weights))
    span = likely_years(years[::-1])
    assert span is not None
    first, last, probability = span
    inside = sum(each.probability for each in years if first <= each.year <= last)
    assert probability == pytest.approx(inside)
    assert probability >= 0.9 - 1e-6
