"""Similarities become ratios that mean what they say: rising, bounded, and refused where they cannot be."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from chassis.signal.calibration import Calibration, cllr

_MAP = Calibration(
    similarities=(0.0, 0.5, 1.0), ratios=(-4.0, 1.0, 20.0), qualities=(0.0, 0.5, 1.0),
    failures=(1.0, 0.3, 0.01), most=8.0, genuine=100, impostors=1000,
)  # fmt: skip


def test_a_view_that_never_fails_gives_the_ratio_of_the_densities() -> None:
    """Straight between the knots, and as at the last one beyond."""
    sure = Calibration(**{**asdict(_MAP), "failures": (1e-12, 1e-12, 1e-12)})
    told = [sure.llr(one, 0.7) for one in (-3.0, 0.0, 0.25, 0.5, 0.6)]
    assert told == pytest.approx([-4.0, -4.0, -1.5, 1.0, 4.8], abs=1e-6)
    assert sure.llr(1.0, 0.7) == sure.llr(5.0, 0.7) == 8.0


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_poor_view_says_less(similarity: float, quality: float, other: float) -> None:
    """In either direction; one of quality 0 nothing, and none less than it may have failed."""
    good, poor = max(quality, other), min(quality, other)
    ours, theirs = _MAP.llr(similarity, good), _MAP.llr(similarity, poor)
    assert abs(ours) >= abs(theirs) - 1e-9
    assert ours * theirs >= 0
    assert _MAP.llr(similarity, 0.0) == 0.0
    assert math.log(0.01) <= ours <= 8.0


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1))
def test_more_alike_never_says_less(similarity: float, other: float, quality: float) -> None:
    """At any quality."""
    low, high = sorted((similarity, other))
    assert _MAP.llr(low, quality) <= _MAP.llr(high, quality)


def test_the_largest_ratios_are_numbers() -> None:
    """One at a time and many at once."""
    wide = Calibration(**{**asdict(_MAP), "ratios": (-100.0, 0.0, 100.0), "most": 100.0})
    assert wide.llr(1.0, 1.0) == pytest.approx(wide.llrs(np.ones(1), np.ones(1))[0])
    assert 99 < wide.llr(1.0, 1.0) <= 100
    assert wide.llr(0.0, 1.0) == pytest.approx(math.log(0.01))


def test_many_at_once_are_the_same() -> None:
    """For benchmarks and fits."""
    rng = np.random.default_rng(0)
    similarities, qualities = rng.uniform(-1, 1.5, 200), rng.uniform(0, 1, 200)
    each = [_MAP.llr(s, q) for s, q in zip(similarities, qualities, strict=True)]
    assert _MAP.llrs(similarities, qualities) == pytest.approx(each)


@pytest.mark.parametrize(
    "change",
    [
        {"ratios": (-4.0, -9.0, 20.0)},
        {"ratios": (-4.0, math.nan, 20.0)},
        {"ratios": (-4.0, 1.0)},
        {"similarities": (0.0, 0.0, 1.0)},
        {"similarities": (0.0,), "ratios": (0.0,)},
        {"failures": (1.0, 0.3, 0.5)},
        {"failures": (1.0, 0.3, 0.0)},
        {"failures": (1.5, 0.3, 0.1)},
        {"qualities": (0.0, 2.0, 1.0)},
        {"most": -1.0},
        {"most": math.inf},
        {"most": 1000.0},
        {"ratios": (-4.0, 1.0, 1000.0)},
        {"ratios": (-1e9, 1.0, 20.0)},
        {"genuine": -5},
        {"impostors": -1},
    ],
    ids=str,
)
def test_what_is_no_map_is_refused(change: dict[str, Any]) -> None:
    """Falling, not finite, out of range, or of too few knots."""
    with pytest.raises(InvalidInput):
        Calibration(**{**asdict(_MAP), **change})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    """As a similarity and as a quality."""
    with pytest.raises(InvalidInput, match="not finite"):
        _MAP.llr(value, 0.5)
    with pytest.raises(InvalidInput, match="not finite"):
        _MAP.llr(0.5, value)


def test_the_cost_of_ratios() -> None:
    """0 is perfect, 1 says nothing, more misleads."""
    good, bad = np.full(5, 9.0), np.full(5, -9.0)
    assert cllr(good, bad) < 0.01
    assert cllr(np.zeros(5), np.zeros(5)) == pytest.approx(1)
    assert cllr(bad, good) > 5
