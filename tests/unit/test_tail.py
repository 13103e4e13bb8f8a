"""How seldom impostors are so alike: the sample's quantiles, and its tail beyond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.signal.tail import fit_tail


def test_the_tail_goes_on_beyond_the_sample() -> None:
    """Inside it is the sample's quantile; beyond it rises slowly, for a normal sample to near the truth."""
    tail = fit_tail(np.random.default_rng(0).normal(0, 0.1, 100_000))
    inside = tail.value_at(np.array([0.5, 0.01, 1e-4]))
    assert inside == pytest.approx([0.0, 0.2326, 0.372], abs=0.02)
    beyond = tail.value_at(np.array([1e-6, 1e-8]))
    assert inside[-1] < beyond[0] < beyond[1] <= 1.0
    assert beyond == pytest.approx([0.475, 0.561], abs=0.1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(1e-7, 1.0))
def test_share_and_value_turn_each_other_round(seed: int, share: float) -> None:
    """As far as a sample can tell."""
    tail = fit_tail(np.random.default_rng(seed).normal(0, 0.1, 3000))
    [value] = tail.value_at(np.array([share]))
    [found] = tail.share_above(np.array([value]))
    if value < 1.0:
        assert found == pytest.approx(share, rel=0.1, abs=1e-3 if share > 0.01 else 0)


def test_shares_fall_and_stay_within_0_to_1() -> None:
    """Over the whole range, start of the tail included."""
    tail = fit_tail(np.random.default_rng(1).normal(0, 0.2, 5000))
    shares = tail.share_above(np.linspace(-1, 1, 400))
    assert (np.diff(shares) <= 0).all()
    assert shares[0] == 1.0
    assert shares[-1] > 0


@pytest.mark.parametrize("values", [np.zeros(50), np.array([0.1, 0.2])], ids=["all the same", "two"])
def test_little_is_enough(values: np.ndarray) -> None:
    """No division by nothing."""
    tail = fit_tail(values)
    assert np.isfinite(tail.value_at(np.array([1e-9, 0.5, 1.0]))).all()
    assert np.isfinite(tail.share_above(np.array([-1.0, 0.15, 1.0]))).all()


def test_inside_the_sample_it_is_the_samples_quantile() -> None:
    """As numpy says it."""
    values = np.random.default_rng(2).normal(0, 0.2, 5001)
    shares = np.array([0.02, 0.1, 0.33, 0.5, 0.9, 1.0])
    assert fit_tail(values).value_at(shares) == pytest.approx(np.quantile(values, 1 - shares))
