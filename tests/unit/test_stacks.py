"""Contributions as stacked bars, and the scale they stand on."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.stacks import MOST, Stack, scale_of, stacked
from client.values import Contribution, ContributionKind

_KINDS = st.sampled_from(ContributionKind)
_RATIOS = st.floats(min_value=-15, max_value=15).filter(lambda each: each == 0 or abs(each) > 1e-6)
_CONTRIBUTIONS = st.lists(
    st.builds(Contribution, kind=_KINDS, log_ratio=_RATIOS, summary=st.just("")), max_size=9
)


def _stack(*log_ratios: float) -> Stack:
    return stacked(Contribution(ContributionKind.FACE, each, "") for each in log_ratios)


@given(_CONTRIBUTIONS)
def test_segments_sum_to_the_total(contributions: list[Contribution]) -> None:
    """What lies right less what lies left of even odds is the sum of what was told."""
    stack = stacked(contributions)
    told = sum(each.log_ratio for each in contributions)
    assert sum(each.end - each.start for each in stack.segments) == pytest.approx(told, abs=1e-9)
    assert stack.least + stack.most == pytest.approx(told, abs=1e-9)
    assert stack.total == pytest.approx(min(max(told, -MOST), MOST), abs=1e-9)


@given(_CONTRIBUTIONS)
def test_segments_touch_and_never_overlap(contributions: list[Contribution]) -> None:
    """Each begins where the one before it on its side ends; the first ones at even odds."""
    segments = stacked(contributions).segments
    for side in ([each for each in segments if each.end > 0], [each for each in segments if each.end < 0]):
        assert [each.start for each in side] == [0.0, *(each.end for each in side)][: len(side)]
        assert all(abs(each.end) > abs(each.start) for each in side)


def test_segments_are_in_the_order_of_kinds() -> None:
    """So that the same color is at the same place in every row."""
    kinds = (ContributionKind.FACE, ContributionKind.PRIOR, ContributionKind.HINT)
    stack = stacked(Contribution(kind, 1.0, "") for kind in kinds)
    ordered = [ContributionKind.PRIOR, ContributionKind.HINT, ContributionKind.FACE]
    assert [each.kind for each in stack.segments] == ordered


def test_what_is_impossible_has_an_end() -> None:
    """It is drawn as far as bars go, keeps what was told, and leads."""
    stack = _stack(5.0, -math.inf)
    assert (stack.least, stack.most, stack.total) == (-MOST, 5.0, -MOST)
    assert stack.segments[1].log_ratio == -math.inf


def test_what_is_no_number_or_nothing_is_left_out() -> None:
    """Nothing to draw."""
    assert _stack(math.nan, 0.0) == Stack((), 0.0)


@given(st.lists(_CONTRIBUTIONS, max_size=4))
def test_the_scale_holds_every_bar(bars: list[list[Contribution]]) -> None:
    """In order, inside its edges, with even odds among at most eight ticks."""
    stacks = [stacked(each) for each in bars]
    scale = scale_of(stacks, left=100, right=900)
    assert 2 <= len(scale.ticks) <= 8
    assert 0.0 in scale.ticks
    assert all(scale.low - 1e-9 <= tick <= scale.high + 1e-9 for tick in scale.ticks)
    for stack in stacks:
        assert scale.low <= stack.least + 1e-9
        assert scale.high >= stack.most - 1e-9
        assert 100 <= scale.x(stack.least) <= scale.x(0.0) <= scale.x(stack.most) <= 900


def test_the_scale_of_nothing_is_a_factor_of_ten_either_way() -> None:
    """Even odds in the middle; what is beyond is at the edge."""
    scale = scale_of([], left=0, right=200)
    assert [scale.x(each) for each in (-99.0, 0.0, 99.0)] == [0, 100, 200]
