"""Calibrations fitted on pairs: near the truth where it is known, also where hardly any pair is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from chassis.signal.calibration import Calibration, cllr
from chassis.signal.calibration_fitting import LEAST_PAIRS, Pairs, TooFewPairs, fit_calibration


def drawn(rng: np.random.Generator, count: int, middle: float, *, spread: float = 0.1) -> Pairs:
    return Pairs(rng.normal(middle, spread, count), rng.uniform(0.2, 1.0, count))


def fitted(seed: int = 0, count: int = 2000, impostors: int = 8000) -> Calibration:
    rng = np.random.default_rng(seed)
    return fit_calibration(drawn(rng, count, 0.6), drawn(rng, impostors, 0.2))


def test_the_ratio_is_that_of_the_densities() -> None:
    """Two normal distributions of one spread: (s - middle) x distance / variance, whatever their numbers."""
    calibration = fitted()
    for similarity in (0.35, 0.4, 0.45, 0.5):
        expected = (similarity - 0.4) * 0.4 / 0.1**2
        assert calibration.llr(similarity, 0.6) == pytest.approx(expected, abs=0.6)


def test_the_ratio_goes_on_where_no_impostor_is() -> None:
    """Less than was seen is believed of impostors, which is nearer the truth than stopping there."""
    calibration = fitted(impostors=100_000)
    expected = (0.64 - 0.4) * 0.4 / 0.1**2
    assert calibration.llr(0.64, 0.9) == pytest.approx(expected, abs=1.5)


def test_a_poor_view_says_less() -> None:
    """Where half of the poor views are as alike as anybody's, unlike ones hardly speak against."""
    rng = np.random.default_rng(1)
    good = rng.normal(0.6, 0.05, 1500)
    poor = np.where(rng.random(1500) < 0.5, rng.normal(0.6, 0.05, 1500), rng.normal(0.2, 0.05, 1500))
    genuine = Pairs(np.concatenate([good, poor]), np.repeat([0.95, 0.1], 1500))
    calibration = fit_calibration(genuine, Pairs(rng.normal(0.2, 0.05, 5000), np.ones(5000)))
    assert calibration.llr(0.2, 0.1) == pytest.approx(math.log(0.5), abs=0.2)
    assert calibration.llr(0.2, 0.95) < -4
    assert calibration.llr(0.42, 0.95) > calibration.llr(0.42, 0.1) > 0


def test_what_is_seen_worse_than_anything_fitted_is_believed_to_fail() -> None:
    """Of good views alone nothing is learnt about poor ones."""
    rng = np.random.default_rng(2)
    genuine = Pairs(rng.normal(0.6, 0.05, 500), rng.uniform(0.9, 1.0, 500))
    calibration = fit_calibration(genuine, drawn(rng, 5000, 0.2))
    assert calibration.llr(0.2, 1.0) < -2
    assert calibration.llr(0.2, 0.0) > -0.1
    assert calibration.llr(0.6, 0.0) < calibration.llr(0.6, 1.0)


def test_other_pairs_are_told_apart_by_what_was_fitted() -> None:
    """C_llr of held-out pairs is far under 1, which is that of saying nothing."""
    rng = np.random.default_rng(2)
    calibration = fitted()
    kinds = drawn(rng, 500, 0.6), drawn(rng, 500, 0.2)
    assert cllr(*(calibration.llrs(one.similarities, one.qualities) for one in kinds)) < 0.2


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1, 1), st.floats(0, 1))
def test_it_rises_and_ends(seed: int, similarity: float, quality: float) -> None:
    """Whatever the pairs: more alike never speaks less for, and no ratio is larger than pairs can tell."""
    rng = np.random.default_rng(seed)
    genuine, impostors = (drawn(rng, 40, rng.uniform(-0.5, 0.8), spread=rng.uniform(0.0, 0.3)) for _ in "ab")
    calibration = fit_calibration(genuine, impostors)
    low = calibration.llr(similarity, quality)
    assert low <= calibration.llr(similarity + 0.1, quality)
    assert -math.log(41) - 1e-9 <= low <= math.log(40_000)


def test_what_says_nothing_says_nothing() -> None:
    """Similarities of one distribution are no evidence, and those that fall are not turned round."""
    rng = np.random.default_rng(4)
    alike = fit_calibration(drawn(rng, 800, 0.2), drawn(rng, 3000, 0.2))
    assert abs(alike.llr(0.2, 0.8)) < 0.3
    turned = fit_calibration(drawn(rng, 300, 0.2), drawn(rng, 900, 0.6))
    assert turned.llr(0.9, 1.0) < 0.7


def test_one_quality_is_enough() -> None:
    """A signal without qualities gives 1 for all."""
    rng = np.random.default_rng(4)
    one, other = (Pairs(rng.normal(middle, 0.1, 200), np.ones(200)) for middle in (0.6, 0.2))
    calibration = fit_calibration(one, other)
    assert calibration.llr(0.6, 1.0) > 3
    assert calibration.llr(0.1, 1.0) < -2


def test_similarities_that_are_all_the_same_are_fitted_too() -> None:
    """A gallery of copies: no density to smooth, still a map."""
    calibration = fit_calibration(Pairs(np.ones(50), np.ones(50)), Pairs(np.zeros(50), np.ones(50)))
    assert calibration.llr(1.0, 1.0) > 0 >= calibration.llr(0.0, 1.0)


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
    """Which kind of pairs has it is said."""
    rng = np.random.default_rng(6)
    good, bad = drawn(rng, 50, 0.6), drawn(rng, 50, 0.2)
    bad.similarities[3] = value
    with pytest.raises(InvalidInput, match="impostor pairs"):
        fit_calibration(good, bad)
