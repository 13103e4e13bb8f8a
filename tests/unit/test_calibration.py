"""Similarities become ratios that mean what they say: fitted, rising, bounded, and refused on too little."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from chassis.signal.calibration import LEAST_PAIRS, Calibration, Pairs, TooFewPairs, cllr, fit_calibration


def drawn(rng: np.random.Generator, count: int, middle: float, *, spread: float = 0.1) -> Pairs:
    return Pairs(rng.normal(middle, spread, count), rng.uniform(0.2, 1.0, count))


def fitted(seed: int = 0, count: int = 2000) -> Calibration:
    rng = np.random.default_rng(seed)
    return fit_calibration(drawn(rng, count, 0.6), drawn(rng, 4 * count, 0.2))


def test_the_ratio_is_that_of_the_densities() -> None:
    """Two normal distributions of one spread: (s - middle) x distance / variance, whatever their numbers."""
    calibration = fitted()
    for similarity in (0.3, 0.4, 0.5):
        expected = (similarity - 0.4) * 0.4 / 0.1**2
        assert calibration.llr(similarity, 0.6) == pytest.approx(expected, abs=0.9)


def test_a_poor_view_says_less() -> None:
    """Where poor pairs overlap more, the same similarity weighs less."""
    rng = np.random.default_rng(1)
    kinds = []
    for middle in (0.6, 0.2):
        good, poor = rng.normal(middle, 0.05, 1500), rng.normal(0.4 + (middle - 0.4) / 2, 0.15, 1500)
        kinds.append(Pairs(np.concatenate([good, poor]), np.repeat([0.95, 0.1], 1500)))
    calibration = fit_calibration(*kinds)
    assert calibration.llr(0.5, 0.95) > 2 * calibration.llr(0.5, 0.1) > 0
    assert calibration.llr(0.3, 0.95) < 2 * calibration.llr(0.3, 0.1) < 0


def test_other_pairs_are_told_apart_by_what_was_fitted() -> None:
    """C_llr of held-out pairs is far under 1, which is that of saying nothing."""
    rng = np.random.default_rng(2)
    calibration = fitted()
    ratios = [
        np.array([calibration.llr(s, q) for s, q in zip(one.similarities, one.qualities, strict=True)])
        for one in (drawn(rng, 500, 0.6), drawn(rng, 500, 0.2))
    ]
    assert cllr(*ratios) < 0.2
    assert cllr(np.zeros(5), np.zeros(5)) == pytest.approx(1)
    assert cllr(ratios[1], ratios[0]) > 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1, 1), st.floats(0, 1))
def test_it_rises_and_ends(seed: int, similarity: float, quality: float) -> None:
    """Whatever the pairs: more alike never speaks less for, and no ratio is larger than pairs can tell.

    Impostors may be the more alike ones; then similarity says nothing.
    """
    rng = np.random.default_rng(seed)
    genuine, impostors = (drawn(rng, 40, rng.uniform(-0.5, 0.8), spread=rng.uniform(0.01, 0.3)) for _ in "ab")
    calibration = fit_calibration(genuine, impostors)
    low = calibration.llr(similarity, quality)
    assert low <= calibration.llr(similarity + 0.1, quality)
    assert -math.log(41) <= low <= math.log(41)


def test_pairs_apart_are_no_certainty() -> None:
    """Separated perfectly, the ratio still ends at what so many pairs can tell."""
    rng = np.random.default_rng(3)
    calibration = fit_calibration(drawn(rng, 50, 0.9, spread=0.01), drawn(rng, 200, 0.1, spread=0.01))
    assert calibration.llr(1.0, 1.0) == pytest.approx(math.log(201))
    assert calibration.llr(-1.0, 1.0) == pytest.approx(-math.log(51))


def test_one_quality_is_enough() -> None:
    """A signal without qualities gives 1 for all."""
    rng = np.random.default_rng(4)
    one, other = (Pairs(rng.normal(middle, 0.1, 200), np.ones(200)) for middle in (0.6, 0.2))
    calibration = fit_calibration(one, other)
    assert calibration.llr(0.6, 1.0) > 3
    assert calibration.llr(0.2, 1.0) < -3


def test_too_few_pairs_are_refused() -> None:
    """In words with both numbers."""
    rng = np.random.default_rng(5)
    few, many = drawn(rng, LEAST_PAIRS - 1, 0.6), drawn(rng, 500, 0.2)
    with pytest.raises(TooFewPairs, match="29 genuine pairs are too few, 30"):
        fit_calibration(few, many)
    with pytest.raises(TooFewPairs, match="impostor"):
        fit_calibration(many, few)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    """When fitting and when asked."""
    rng = np.random.default_rng(6)
    good, bad = drawn(rng, 50, 0.6), drawn(rng, 50, 0.2)
    bad.similarities[3] = value
    with pytest.raises(InvalidInput, match="impostor pairs"):
        fit_calibration(good, bad)
    with pytest.raises(InvalidInput, match="not finite"):
        fitted(count=50).llr(value, 0.5)
    with pytest.raises(InvalidInput, match="not finite"):
        fitted(count=50).llr(0.5, value)


def test_what_is_seen_worse_than_anything_fitted_says_less_and_at_last_nothing() -> None:
    """In proportion to the quality below the poorest that were fitted."""
    calibration = fitted()
    poorest = calibration.least_quality
    assert 0.2 <= poorest < 0.3
    at_poorest = calibration.llr(0.5, poorest)
    assert calibration.llr(0.5, poorest / 2) == pytest.approx(at_poorest / 2)
    assert calibration.llr(0.5, 0.0) == 0.0
    assert calibration.llr(0.5, 1.0) >= at_poorest > 0


def test_where_poor_views_would_say_more_quality_changes_nothing() -> None:
    """The slopes stay within their bounds, and the ratio still rises with the similarity."""
    rng = np.random.default_rng(3)
    kinds = []
    for middle in (0.6, 0.2):
        good, poor = rng.normal(0.4 + (middle - 0.4) / 4, 0.1, 800), rng.normal(middle, 0.1, 800)
        kinds.append(Pairs(np.concatenate([good, poor]), np.repeat([0.95, 0.3], 800)))
    calibration = fit_calibration(*kinds)
    assert calibration.slope_good == calibration.slope_poor > 0


def test_what_says_nothing_gets_no_slope() -> None:
    """Similarities that fall where they should rise are not turned round."""
    rng = np.random.default_rng(4)
    calibration = fit_calibration(drawn(rng, 300, 0.2), drawn(rng, 900, 0.6))
    assert calibration.slope_good >= calibration.slope_poor >= 0
    assert abs(calibration.llr(0.9, 1.0)) < 0.5
