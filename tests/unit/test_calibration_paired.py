"""A tattoo counts unless a test on images that show both says that it hurts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from gateway.calibration.paired import LEAST_IMAGES, PairedImage, paired_test


def images(count: int, *, face: float, tattoo: float, seed: int = 0) -> list[PairedImage]:
    """Ratios of the right one around `face` and `tattoo`, of nine others around their negatives."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        right = f"performer {number // 2}"
        names = [right, *(f"other {one}" for one in range(9))]
        ratios = [
            dict(zip(names, [rng.normal(mean), *rng.normal(-mean, size=9)], strict=True))
            for mean in (face, tattoo)
        ]
        found.append(PairedImage(right, *ratios))
    return found


def test_a_tattoo_that_helps_counts() -> None:
    """Its gains are above 0."""
    test = paired_test(images(60, face=1, tattoo=2), unknown=0.3, seed=0)
    assert test.is_tested
    assert (test.images, test.performers, test.weight) == (60, 30, 1.0)
    assert test.rank1_gain is not None
    assert test.log_gain is not None
    assert test.rank1_gain.low > 0
    assert test.log_gain.low > 0
    assert test.rank1_both > test.rank1_face


def test_a_tattoo_that_hurts_counts_nothing() -> None:
    """It speaks for others."""
    test = paired_test(images(60, face=2, tattoo=-2), unknown=0.3, seed=0)
    assert test.log_gain is not None
    assert test.log_gain.high < 0
    assert test.weight == 0.0


def test_one_that_says_nothing_counts() -> None:
    """Nothing shows that it hurts."""
    without = [
        PairedImage(one.performer_id, one.face, dict.fromkeys(one.face, 0.0))
        for one in images(40, face=1, tattoo=0)
    ]
    test = paired_test(without, unknown=0.3, seed=0)
    assert test.weight == 1.0
    assert test.rank1_gain is not None
    assert (test.rank1_gain.value, test.rank1_gain.low, test.rank1_gain.high) == (0, 0, 0)
    assert test.rank1_both == test.rank1_face


@pytest.mark.parametrize(("added", "weight"), [(2.0, 0.5), (0.0, 0.0), (-2.0, 0.0)])
def test_one_that_must_help_counts_only_where_it_does(added: float, weight: float) -> None:
    """By the weight it was tested with; that it does not hurt is not enough."""
    some = images(60, face=1, tattoo=added)
    if not added:
        some = [PairedImage(one.performer_id, one.face, dict.fromkeys(one.face, 0.0)) for one in some]
    test = paired_test(some, unknown=0.3, seed=0, tested_weight=0.5, must_help=True)
    assert test.is_tested
    assert test.weight == weight


def test_too_few_images_are_not_tested() -> None:
    """The weight stays 1."""
    test = paired_test(images(LEAST_IMAGES - 1, face=2, tattoo=-2), unknown=0.3, seed=0)
    assert not test.is_tested
    assert (test.images, test.weight) == (LEAST_IMAGES - 1, 1.0)
    assert not paired_test([], unknown=0.3, seed=0).is_tested


@settings(deadline=None, max_examples=20)
@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 2**32))
def test_the_order_of_the_images_means_nothing(face: float, tattoo: float, seed: int) -> None:
    """And shares are shares."""
    some = images(LEAST_IMAGES, face=face, tattoo=tattoo, seed=seed)
    test = paired_test(some, unknown=0.3, seed=seed)
    assert 0 <= test.rank1_face <= 1
    assert 0 <= test.rank1_both <= 1
    assert test.log_gain is not None
    turned = paired_test(some[::-1], unknown=0.3, seed=seed)
    assert turned.log_gain is not None
    assert turned.log_gain.value == pytest.approx(test.log_gain.value, abs=1e-9)
    assert turned.weight == test.weight


def test_a_ratio_that_is_not_finite_is_refused() -> None:
    """Nothing is decided by it."""
    broken = images(LEAST_IMAGES, face=1, tattoo=1)
    broken[0] = PairedImage(broken[0].performer_id, broken[0].face, dict.fromkeys(broken[0].face, math.inf))
    with pytest.raises(InvalidInput):
        paired_test(broken, unknown=0.3, seed=0)
