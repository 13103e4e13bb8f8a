"""Only adults come before the camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidInput, Refused
from trainer.studio.phenotype import ADULT_AGE, Phenotype, draw_phenotype

MIDDLING = {"gender": 0.5, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5}


@given(st.floats(0, ADULT_AGE, exclude_max=True))
def test_a_body_that_is_not_grown_up_is_refused(age: float) -> None:
    """Nothing younger than the body model's grown-up can even be described."""
    with pytest.raises(Refused, match="adult"):
        Phenotype(age=age, **MIDDLING)


@given(st.integers(0, 2**32))
def test_every_body_drawn_is_adult(seed: int) -> None:
    """Whatever the seed, age is at least that of a grown-up."""
    assert draw_phenotype(np.random.default_rng(seed)).age >= ADULT_AGE


@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_a_value_beyond_the_model_is_an_error(value: float) -> None:
    """The body model is not asked to guess beyond what it knows."""
    with pytest.raises(InvalidInput, match="weight"):
        Phenotype(age=0.8, **{**MIDDLING, "weight": value})
