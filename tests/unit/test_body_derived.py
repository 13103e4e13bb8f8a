"""The ratios that integrations read, from all measurements of a performer."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.body.derived import body_ratios
from services.body.kinds import RatioKind
from services.body.measurement import Measurement

_view = st.dictionaries(
    st.sampled_from(RatioKind), st.tuples(st.floats(0.5, 2.5), st.floats(0.01, 0.15)), min_size=1
)


def test_only_what_was_measured_is_there() -> None:
    """Under the names that integrations know; ratios without such a name, and unknown ones, are left out."""
    seen = Measurement.of({RatioKind.LEG_TORSO: (1.6, 0.05), RatioKind.ARM_TORSO: (1.0, 0.05)})
    assert body_ratios([seen]) == {"leg_torso_ratio": 1.6}


def test_surer_views_count_more() -> None:
    """Combined like everywhere: the mean of the logs by inverse variance."""
    sure = Measurement.of({RatioKind.SHOULDER_HIP: (2.0, 0.05)})
    unsure = Measurement.of({RatioKind.SHOULDER_HIP: (1.5, 0.10), RatioKind.SHOULDER_TORSO: (0.6, 0.06)})
    ratios = body_ratios([sure, unsure])
    assert ratios == {
        "shoulder_hip_ratio": pytest.approx(2.0**0.8 * 1.5**0.2, abs=1e-4),
        "shoulder_torso_ratio": 0.6,
    }


@given(st.lists(_view, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_views_does_not_matter(
    views: list[dict[RatioKind, tuple[float, float]]], random: Random
) -> None:
    """The same views in any order give the same, to the digits that are written."""
    measured = [Measurement.of(view) for view in views]
    shuffled = list(measured)
    random.shuffle(shuffled)
    assert body_ratios(shuffled) == pytest.approx(body_ratios(measured), abs=1.1e-4)
