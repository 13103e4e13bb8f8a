"""Likelihood ratios, similarities and compatibility of measured proportions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.body.kinds import KINDS, RatioKind
from services.body.likelihood import (
    LARGEST,
    OUTLIERS,
    are_compatible,
    compared_ratios,
    log_likelihood_ratios,
    similarities,
)
from services.body.measurement import Measurement, combine, stack
from services.body.population import MEANS, SPREADS
from services.body.ratios import BASE_ERRORS, LARGEST_ERROR
from services.body.table import OPERATING_POINT

_BEST = np.array([BASE_ERRORS[kind] for kind in KINDS])
_SCORES = st.lists(st.floats(-3, 3), min_size=6, max_size=6)
_ERRORS = st.lists(st.floats(0.04, LARGEST_ERROR), min_size=6, max_size=6)
_MASKS = st.lists(st.booleans(), min_size=6, max_size=6)


def _measured(scores: NDArray[np.float64], errors: NDArray[np.float64] | float = _BEST) -> Measurement:
    """From standard scores of the population and log errors."""
    logs = MEANS + SPREADS * scores
    return Measurement(logs, np.broadcast_to(np.asarray(errors, np.float64) ** -2.0, logs.shape))


@st.composite
def _measurements(draw: st.DrawFn) -> Measurement:
    mask = np.array(draw(_MASKS))
    whole = _measured(np.array(draw(_SCORES)), np.array(draw(_ERRORS)))
    return Measurement(np.where(mask, whole.logs, 0), np.where(mask, whole.precisions, 0))


def _photographs(
    people: NDArray[np.float64], rng: np.random.Generator, errors: NDArray[np.float64]
) -> Measurement:
    """One photograph of each of n people, (n, 6) standard scores."""
    noise = rng.normal(0, errors, people.shape)
    return Measurement(MEANS + SPREADS * people + noise, np.broadcast_to(errors**-2.0, people.shape).copy())


def _llr(probe: Measurement, enrolled: Measurement) -> float:
    return float(log_likelihood_ratios(probe, enrolled))


def _equal_error_rate(genuine: NDArray[np.float64], impostor: NDArray[np.float64]) -> float:
    thresholds = np.quantile(np.concatenate([genuine, impostor]), np.linspace(0, 1, 500))
    misses = np.array([(genuine < one).mean() for one in thresholds])
    alarms = np.array([(impostor >= one).mean() for one in thresholds])
    return float(np.maximum(misses, alarms).min())


@given(_measurements(), _measurements())
def test_bounds(probe: Measurement, enrolled: Measurement) -> None:
    """Proportions never say much: LLR within ln(OUTLIERS)..LARGEST, similarity within 0..1."""
    assert np.log(OUTLIERS) - 1e-9 <= _llr(probe, enrolled) <= LARGEST
    assert 0 < float(similarities(probe, enrolled)) <= 1


@given(_measurements(), _measurements())
def test_similarity_and_compatibility_are_symmetric(first: Measurement, second: Measurement) -> None:
    """Who is compared with whom does not matter."""
    assert float(similarities(first, second)) == pytest.approx(float(similarities(second, first)))
    assert are_compatible(first, second, tolerance=0.2) == are_compatible(second, first, tolerance=0.2)
    assert compared_ratios(first, second) == compared_ratios(second, first)


@given(_measurements(), st.lists(_measurements(), min_size=1, max_size=5))
def test_many_at_once_are_the_same_as_one_by_one(probe: Measurement, others: list[Measurement]) -> None:
    """Rows do not influence each other."""
    rows = stack(others)
    assert log_likelihood_ratios(probe, rows) == pytest.approx([_llr(probe, one) for one in others])
    assert similarities(probe, rows) == pytest.approx([float(similarities(probe, one)) for one in others])


@given(_SCORES, _SCORES)
def test_a_bad_view_says_nothing(probe: list[float], enrolled: list[float]) -> None:
    """As the error of either side grows, the LLR goes to 0, and nobody is incompatible."""
    near, far = np.array(probe), np.array(enrolled)
    for first, second in ((50.0, 0.05), (0.05, 50.0)):
        sides = _measured(near, first), _measured(far, second)
        assert _llr(*sides) == pytest.approx(0, abs=0.01)
        assert are_compatible(*sides, tolerance=0.0)


@given(_SCORES, st.lists(st.floats(0.04, 5), min_size=2, max_size=8))
def test_agreement_says_less_the_worse_the_view(scores: list[float], errors: list[float]) -> None:
    """The same proportions on both sides: evidence for, which falls towards 0 with the error."""
    person = np.array(scores)
    enrolled = _measured(person, 0.02)
    llrs = [_llr(_measured(person, error), enrolled) for error in sorted(errors)]
    assert all(better >= worse - 1e-9 for better, worse in itertools.pairwise(llrs))
    assert llrs[-1] >= -1e-9


@given(_measurements())
def test_nothing_in_common_says_nothing(probe: Measurement) -> None:
    """No ratio measured on both sides: LLR 0, compatible, none compared, and no likeness."""
    measured = probe.is_measured
    others = _measured(np.zeros(6))
    complement = Measurement(np.where(measured, 0, others.logs), np.where(measured, 0, others.precisions))
    assert _llr(probe, complement) == pytest.approx(0, abs=1e-6)
    assert are_compatible(probe, complement, tolerance=0.0)
    assert compared_ratios(probe, complement) == 0
    assert float(similarities(probe, complement)) == pytest.approx(np.exp(-0.5))


def test_rare_proportions_say_more_than_common_ones() -> None:
    """To agree on being unusual is stronger evidence than to agree on being average."""
    average, unusual = np.zeros(6), np.full(6, 2.0)
    assert _llr(_measured(unusual), _measured(unusual, 0.02)) > _llr(
        _measured(average), _measured(average, 0.02)
    )


def test_more_pictures_make_it_surer() -> None:
    """Enrolled pictures of one person sharpen the evidence, for and against."""
    person, other = np.full(6, 1.5), np.full(6, -1.5)
    fors, againsts = [], []
    for count in (1, 3, 10):
        enrolled = combine([_measured(person)] * count)
        fors.append(_llr(_measured(person), enrolled))
        againsts.append(_llr(_measured(other), enrolled))
    assert fors == sorted(fors)
    assert againsts == sorted(againsts, reverse=True)


def test_no_number_of_pictures_makes_it_certain() -> None:
    """Pictures of one day share an error: a thousand are hardly surer than a hundred."""
    person = np.full(6, 1.0)
    hundred, thousand = (combine([_measured(person)] * count) for count in (100, 1000))
    assert _llr(_measured(person), thousand) == pytest.approx(_llr(_measured(person), hundred), abs=0.05)


def test_a_wrong_pose_does_not_exclude_anybody() -> None:
    """However far off one measurement is, the evidence against stays bounded."""
    person = _measured(np.zeros(6), 0.03)
    assert _llr(_measured(np.full(6, 8.0)), person) == pytest.approx(np.log(OUTLIERS), abs=0.01)


def test_the_likelihoods_mean_what_they_say() -> None:
    """Drawn from its own model: e^LLR averages 1 over strangers, and LLRs tell people apart as predicted."""
    rng = np.random.default_rng(5)
    people = rng.normal(size=(4000, 6))
    probes, enrolled = _photographs(people, rng, _BEST), _photographs(people, rng, _BEST)
    strangers = Measurement(np.roll(enrolled.logs, 1, axis=0), enrolled.precisions)
    impostor = log_likelihood_ratios(probes, strangers)
    genuine = log_likelihood_ratios(probes, enrolled)
    assert np.exp(impostor).mean() == pytest.approx(1, abs=0.05)
    assert genuine.mean() > 0 > impostor.mean()
    # Evidence of 1 (e^0 to e^0.5, say) is right as often as it claims.
    within = [((llr > 0) & (llr < 0.5)).mean() for llr in (genuine, impostor)]
    assert np.exp(0) < within[0] / within[1] < np.exp(0.5)


def test_how_well_people_are_told_apart() -> None:
    """With 2% noise one picture gives an equal error rate of about 8%; with ours of 4.5 to 9%, about 30%."""
    rng = np.random.default_rng(6)
    people = rng.normal(size=(3000, 6))
    rates = []
    for errors in (np.full(6, 0.02), _BEST):
        probes, enrolled = _photographs(people, rng, errors), _photographs(people, rng, errors)
        strangers = Measurement(np.roll(enrolled.logs, 1, axis=0), enrolled.precisions)
        rates.append(
            _equal_error_rate(
                log_likelihood_ratios(probes, enrolled), log_likelihood_ratios(probes, strangers)
            )
        )
    assert rates[0] < 0.13
    assert 0.22 < rates[1] < 0.38


@pytest.mark.parametrize(("difference", "expected"), [(0.10, True), (0.24, True), (0.26, False)])
def test_the_tolerance_is_relative(difference: float, expected: bool) -> None:
    """Sure measurements agree within the tolerance and twice their error, here 0.2 + 2 x 0.028."""
    exact = {RatioKind.LEG_TORSO: (1.6, 1e-4)}
    longer = {RatioKind.LEG_TORSO: (1.6 * np.exp(np.log(1.2) + difference - 0.2), 1e-4)}
    assert bool(are_compatible(Measurement.of(exact), Measurement.of(longer), tolerance=0.2)) is expected


def test_one_ratio_that_disagrees_is_enough() -> None:
    """Five that agree do not outvote it."""
    first, second = _measured(np.zeros(6), 0.01), _measured(np.zeros(6), 0.01)
    second.logs[2] += 0.5
    assert not are_compatible(first, second, tolerance=0.2)


def test_the_tolerance_excludes_few_of_the_same_person() -> None:
    """With the default and pictures from good views, under 1% of a person's own."""
    rng = np.random.default_rng(8)
    people = rng.normal(size=(3000, 6))
    probes, enrolled = _photographs(people, rng, _BEST), _photographs(people, rng, _BEST)
    assert are_compatible(probes, enrolled, tolerance=0.2).mean() > 0.99


def test_the_operating_point_is_where_the_model_has_it() -> None:
    """1% of strangers reach its lower end with many enrolled pictures, fewer with one."""
    rng = np.random.default_rng(9)
    people = rng.normal(size=(20000, 6))
    probes = _photographs(people, rng, _BEST)
    quantiles = []
    for pictures in (1, 20):
        enrolled = _photographs(np.roll(people, 1, axis=0), rng, _BEST / pictures**0.5)
        quantiles.append(float(np.quantile(similarities(probes, enrolled), 0.99)))
    assert quantiles[0] < quantiles[1]
    assert quantiles[1] == pytest.approx(OPERATING_POINT.impostor_p99, abs=0.01)
