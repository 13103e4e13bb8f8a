"""A body's log ratios are believed as far as pairs of this library bear them out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.signal.calibration import cllr
from chassis.signal.calibration_fitting import Pairs, TooFewPairs
from gateway.calibration.judging import Chosen, temper_and_judge
from gateway.calibration.tempering import Tempered, fit_tempered
from tests.fakes.compared_gallery import gallery, pairs_of


def _ratios(said: float, true: float, count: int = 20_000) -> tuple[Pairs, Pairs]:
    """Log ratios of two normals whose means differ by `true` variances, told as if it were `said` of them."""
    rng = np.random.default_rng(0)
    kinds = [rng.normal(sign * true / 2, true**0.5, count) * said for sign in (1, -1)]
    genuine, impostors = (Pairs(one, np.ones(count)) for one in kinds)
    return genuine, impostors


@pytest.mark.parametrize(("said", "weight"), [(1.0, 1.0), (2.0, 0.5), (4.0, 0.25), (0.5, 1.0)])
def test_the_weight_undoes_what_ratios_exaggerate(said: float, weight: float) -> None:
    """Twice too loud counts half; one that is too modest is believed and no more."""
    assert fit_tempered(*_ratios(said, 1.0)).weight == pytest.approx(weight, abs=0.05)


def test_ratios_that_say_nothing_weigh_nothing() -> None:
    """Both kinds alike, or the wrong way round."""
    rng = np.random.default_rng(1)
    same = [Pairs(rng.normal(0, 2, 5000), np.ones(5000)) for _ in range(2)]
    assert fit_tempered(*same).weight < 0.05
    genuine, impostors = _ratios(1.0, 1.0)
    assert fit_tempered(impostors, genuine).weight == 0.0


def test_without_pairs_of_both_kinds_nothing_is_believed() -> None:
    """A weight that nothing speaks against is none that anything speaks for."""
    some, none = (Pairs(np.full(count, -1.0), np.ones(count)) for count in (80, 0))
    assert fit_tempered(some, none) == fit_tempered(none, some) == Tempered(0.0)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=20), st.lists(st.floats(-3, 3), min_size=1, max_size=20)
)
def test_no_weight_is_worse_than_saying_nothing(genuine: list[float], impostors: list[float]) -> None:
    """It is within 0..1, and costs at most what no ratio at all does: 1 bit."""
    kinds = [Pairs(np.array(one), np.ones(len(one))) for one in (genuine, impostors)]
    tempered = fit_tempered(*kinds)
    assert 0 <= tempered.weight <= 1
    told = [tempered.llrs(one.similarities, one.qualities) for one in kinds]
    assert cllr(*told) <= 1 + 1e-3


def test_it_is_judged_on_performers_that_it_was_not_fitted_on() -> None:
    """Exaggerated ratios: weighed they are better than as they ship, and the report has both."""
    pairs = pairs_of(gallery(40, genuine=2.0, impostor=-2.0, spread=6.0))
    judged = temper_and_judge(pairs, seed=0)
    assert judged.own == Tempered(judged.weight)
    assert 0 < judged.weight < 0.5
    assert judged.parameters == {}
    assert judged.chosen is Chosen.NEW
    assert judged.held_out.performers == 20
    assert judged.held_out.own < judged.held_out.shipped
    assert judged.held_out.is_better
    assert judged.held_out.own < 1


def test_too_few_pairs_fit_nothing() -> None:
    """As with the other signals."""
    with pytest.raises(TooFewPairs, match="64 are needed"):
        temper_and_judge(pairs_of(gallery(10)), seed=0)
