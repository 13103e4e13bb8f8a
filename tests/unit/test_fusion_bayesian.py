"""The arithmetic of BAYESIAN: probabilities sum to 1, absence and dates count as they should."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from gateway.fusion.absence import absence_llrs, another_there, presence_llrs
from gateway.fusion.posterior import log_prior, posterior
from gateway.fusion.scene_time import dated

_LLR = st.floats(-25, 25)


def test_the_worked_example() -> None:
    """Every ratio written out; B ends at .845 and A at .012, though the face said A."""
    face = {"a": math.log(0.70), "b": math.log(0.65)}
    [sleeve] = absence_llrs(has_it=np.ones(1), in_view=1, missed=0.05)
    assert sleeve == pytest.approx(math.log(0.05))
    build = {"a": 1.0, "b": -0.5}
    appearance = {"a": -2.5, "b": 0.3}  # natural in 2023, A augmented since 2020
    logs = {one: face[one] + build[one] + appearance[one] for one in face}
    logs["a"] += sleeve
    found = posterior(logs, log_unknown=math.log(0.09))
    assert found.probabilities["b"] == pytest.approx(0.845, abs=5e-4)
    assert found.probabilities["a"] == pytest.approx(0.012, abs=5e-4)
    assert found.unknown == pytest.approx(0.143, abs=5e-4)
    assert list(found.probabilities) == ["b", "a"]
    assert found.margin == pytest.approx(0.845 - 0.143, abs=1e-3)


@given(st.dictionaries(st.text(max_size=3), st.floats(-2000, 2000), max_size=30), st.floats(-2000, 2000))
def test_probabilities_sum_to_one(logs: dict[str, float], log_unknown: float) -> None:
    """Whatever the evidence, none is outside 0..1; the order is that of the evidence."""
    found = posterior(logs, log_unknown=log_unknown)
    values = list(found.probabilities.values())
    assert all(0 <= one <= 1 for one in [*values, found.unknown])
    assert math.fsum(values) + found.unknown == pytest.approx(1)
    assert values == sorted(values, reverse=True)
    assert -1 <= found.margin <= 1


def test_nobody_to_choose_from_is_unknown() -> None:
    """With certainty; and evidence against everybody leaves unknown the surest."""
    assert posterior({}, log_unknown=-3).unknown == 1
    assert posterior({"a": -20.0}, log_unknown=0).margin < 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_evidence_that_is_no_number_is_refused(value: float) -> None:
    """Rather than becoming a probability."""
    with pytest.raises(InvalidInput, match="not finite"):
        posterior({"a": value}, log_unknown=0)
    with pytest.raises(InvalidInput, match="not finite"):
        posterior({"a": 0}, log_unknown=value)
    with pytest.raises(InvalidInput, match="not finite"):
        presence_llrs(value, has_it=np.array([0.5]))
    with pytest.raises(InvalidInput, match="not finite"):
        dated(np.ones(2), [np.array([0.0, value])])


def test_the_gallery_shares_what_is_not_unknown() -> None:
    """(1 - unknown) / N each; a hinted performer takes more, of the others."""
    assert log_prior("a", gallery_size=200, unknown=0.2) == pytest.approx(math.log(0.8 / 200))
    hints = {"a": 10.0}
    hinted, other = (log_prior(one, gallery_size=200, unknown=0.2, hints=hints) for one in "ab")
    assert hinted - other == pytest.approx(math.log(10))
    assert math.exp(hinted) + 199 * math.exp(other) == pytest.approx(0.8)


def test_a_hint_is_bounded() -> None:
    """Nobody is certain, or impossible, because somebody says so."""
    most, least = (log_prior("a", gallery_size=10**5, unknown=0.5, hints={"a": hint}) for hint in (1e9, 1e-9))
    assert most - least == pytest.approx(math.log(1e4), abs=0.01)


@pytest.mark.parametrize(
    ("size", "unknown", "hints"),
    [
        (0, 0.1, {}),
        (5, 0.0, {}),
        (5, 1.0, {}),
        (5, math.nan, {}),
        (5, 0.1, {"a": -1.0}),
        (5, 0.1, {"a": math.nan}),
    ],
)
def test_a_prior_that_is_none_is_refused(size: int, unknown: float, hints: dict[str, float]) -> None:
    """By the name of the argument."""
    with pytest.raises(InvalidInput, match=r"gallery_size|unknown|hints"):
        log_prior("a", gallery_size=size, unknown=unknown, hints=hints)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_absence_never_speaks_for_anybody(has_it: float, in_view: float, missed: float) -> None:
    """At most 0 and finite; 0 where the region is out of view or the performer does not have it."""
    had = np.array([has_it, 0.0])
    llr, never = absence_llrs(has_it=had, in_view=in_view, missed=missed)
    assert llr <= 0
    assert math.isfinite(llr)
    assert never == 0
    assert (absence_llrs(has_it=had, in_view=0, missed=missed) == 0).all()


@given(_LLR, st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 1))
def test_a_tattoo_counts_less_the_less_the_performer_had_it_then(
    llr: float, one: float, other: float, another: float
) -> None:
    """Between the ratio itself and what another one on somebody without it is worth."""
    low, high, surely, never = presence_llrs(
        llr, has_it=np.array([*sorted((one, other)), 1.0, 0.0]), another=another
    )
    if llr >= math.log(another):
        assert low <= high + 1e-9
    assert surely == llr
    assert never == pytest.approx(math.log(another))


@given(_LLR, _LLR, st.floats(0.5, 1))
def test_what_is_more_alike_never_counts_less_where_the_tattoo_may_well_be_there(
    one: float, other: float, has_it: float
) -> None:
    """Though the performer without it is the less likely to wear another one like it."""
    llrs = np.array(sorted((one, other)))
    less, more = presence_llrs(llrs, has_it=np.full(2, has_it), another=another_there(llrs))
    assert less <= more + 1e-9


def test_another_tattoo_in_its_place_counts_against_as_far_as_it_is_alike() -> None:
    """On somebody who does not have the tattoo then: a tenth at most, and nothing for one that is unlike."""
    llrs = np.array([-3.0, 0.0, 1.0, 8.0])
    found = presence_llrs(llrs, has_it=np.zeros(4), another=another_there(llrs))
    assert found == pytest.approx([0, 0, -1, math.log(0.1)])


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(value: float) -> None:
    """In any place."""
    half, wrong = np.array([0.5]), np.array([value])
    with pytest.raises(InvalidInput, match="has_it"):
        absence_llrs(has_it=wrong, in_view=0.5, missed=0.5)
    with pytest.raises(InvalidInput, match="in_view"):
        absence_llrs(has_it=half, in_view=wrong, missed=0.5)
    with pytest.raises(InvalidInput, match="missed"):
        absence_llrs(has_it=half, in_view=0.5, missed=value)
    with pytest.raises(InvalidInput, match="has_it"):
        presence_llrs(1.0, has_it=wrong)


def test_evidence_dates_a_scene() -> None:
    """What speaks against all years but one leaves that year; the ratio is the mean over the prior."""
    prior = np.array([1.0, 1.0, 2.0])
    found = dated(prior, [np.log([0.5, 4.0, 0.5])])
    assert found.llr == pytest.approx(math.log(0.25 * 0.5 + 0.25 * 4 + 0.5 * 0.5))
    assert found.years == pytest.approx(np.array([0.125, 1.0, 0.25]) / 1.375)


def test_a_known_date_leaves_one_year() -> None:
    """Its evidence counts in full, that of other years not at all."""
    found = dated(np.array([0.0, 1.0, 0.0]), [np.array([20.0, -1.5, 20.0]), np.array([0.0, 0.5, 0.0])])
    assert found.llr == pytest.approx(-1.0)
    assert found.years == pytest.approx([0, 1, 0])


def test_no_evidence_leaves_the_prior() -> None:
    """And is neutral."""
    found = dated(np.array([1.0, 3.0]), [])
    assert found.llr == pytest.approx(0)
    assert found.years == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize("prior", [np.zeros(2), np.array([1.0, -1.0]), np.array([]), np.array([1.0, np.nan])])
def test_a_prior_over_no_years_is_refused(prior: np.typing.NDArray[np.float64]) -> None:
    """And evidence of other years."""
    with pytest.raises(InvalidInput):
        dated(prior, [])
    with pytest.raises(InvalidInput, match="different years"):
        dated(np.ones(2), [np.zeros(3)])
