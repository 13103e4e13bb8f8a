"""How mannequins get proportions that spread as people's, and what their log ratios are worth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.body.comparing import compare, is_full_frontal, is_good, worth_of
from bench.body.proportions import BONES, RATIOS, SPREADS, draw_ratios, fit, log_ratios
from bench.body.truth import followed
from bench.body.views import MeasuredView
from services.body.kinds import KINDS
from services.body.measurement import Measurement
from services.body.population import MEANS
from services.body.population import SPREADS as OF_PEOPLE
from services.body.view import View

_SEED = 1

Floats = NDArray[np.float64]


def test_mannequins_spread_as_the_service_says_people_do() -> None:
    """The same six ratios with the same spreads."""
    assert [kind.name.lower() for kind in KINDS] == list(RATIOS)
    assert pytest.approx(OF_PEOPLE) == SPREADS


def test_drawn_ratios_have_the_means_of_the_traits_and_the_spreads_of_people() -> None:
    """Also where traits alone would make bodies too alike, or too different."""
    rng = np.random.default_rng(_SEED)
    own = np.array([0.460, 0.603, -0.304, 0.096, 0.003, 0.115])
    spread = np.array([0.058, 0.034, 0.063, 0.030, 0.096, 0.045])
    drawn = np.array([draw_ratios(rng, own + spread * rng.normal(size=6)) for _ in range(4000)])
    assert drawn.mean(axis=0) == pytest.approx(own, abs=0.005)
    assert drawn.std(axis=0) == pytest.approx(SPREADS, rel=0.05)


def test_bones_are_turned_until_the_ratios_are_as_wanted() -> None:
    """For a body that answers to its measures, not quite evenly."""
    effects = np.array(list(BONES.values())).T

    def ratios_of(turned: Mapping[str, float]) -> Floats:
        amounts = np.array([turned[name] for name in BONES])
        return effects @ (amounts + 0.3 * amounts**2)

    wanted = np.array([0.05, -0.03, 0.04, 0.02, -0.03, 0.05])
    assert ratios_of(fit(wanted, ratios_of)) == pytest.approx(wanted, abs=1e-3)


def test_ratios_are_between_joints() -> None:
    """A stick figure whose lengths are known."""
    joints: dict[str, Floats] = {}
    for side, sign in ((".L", 1.0), (".R", -1.0)):
        joints |= {
            f"upperarm01{side}": np.array([0.2 * sign, 0, 1.5]),
            f"lowerarm01{side}": np.array([0.2 * sign, 0, 1.2]),
            f"wrist{side}": np.array([0.2 * sign, 0, 1.0]),
            f"upperleg01{side}": np.array([0.1 * sign, 0, 1.0]),
            f"lowerleg01{side}": np.array([0.1 * sign, 0, 0.5]),
            f"foot{side}": np.array([0.1 * sign, 0, 0.0]),
        }
    assert np.exp(log_ratios(joints)) == pytest.approx([2.0, 2.0, 0.8, 1.0, 1.0, 1.5])


def _view(person: str, logs: Floats, *, across: float = 1.0, quality: float = 0.9) -> MeasuredView:
    view = View(front=across, left=0.0, across=across, along=1.0)
    return MeasuredView(person, view, quality, Measurement(logs, np.full(6, 0.05**-2)))


def _people(spread: float) -> list[MeasuredView]:
    rng = np.random.default_rng(_SEED)
    truths = MEANS + spread * OF_PEOPLE * rng.normal(size=(40, 6))
    return [_view(f"{n}", true + rng.normal(0, 0.05, 6)) for n, true in enumerate(truths) for _ in range(5)]


def test_people_who_differ_are_told_apart_and_clones_are_not() -> None:
    """C_llr is under 1 for people, and not for a crowd of one."""
    people, clones = (worth_of(compare(_people(spread), is_good), seed=_SEED) for spread in (1.0, 0.0))
    assert (people.people, people.probes) == (40, 80)
    assert people.cllr[2] < 1 <= clones.cllr[0]
    assert people.equal_error_rate[1] <= people.equal_error_rate[0] <= people.equal_error_rate[2]
    assert people.equal_error_rate[0] < 0.35 < clones.equal_error_rate[0]
    assert people.least_cllr[0] <= people.cllr[0]


def test_only_people_with_three_views_to_enrol_and_one_to_ask_count() -> None:
    """And where only frontal views are enrolled, turned ones are still asked about."""
    turned = [_view("b", MEANS, across=0.5) for _ in range(4)]
    mixed = [_view("a", MEANS) for _ in range(3)] + [_view("a", MEANS, across=0.5)]
    assert compare(turned + mixed, is_good).llrs.shape == (2, 2)
    assert compare(turned + mixed, is_full_frontal).llrs.shape == (1, 1)
    assert compare([_view("c", MEANS, quality=0.2)] * 5, is_good).llrs.shape == (0, 0)


def test_a_network_that_sees_half_of_a_difference_has_slope_one_half() -> None:
    """Truth and measurement of people, ratio by ratio."""
    rng = np.random.default_rng(_SEED)
    truth = {f"{n}": 0.1 * rng.normal(size=6) for n in range(20)}
    found = followed(truth, {name: logs / 2 for name, logs in truth.items()})
    assert [one.slope for one in found] == pytest.approx([0.5] * 6)
    assert [one.correlation for one in found] == pytest.approx([1.0] * 6)
