"""Pairs, halves that share nobody, and when a calibration of the library is better than what ships."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.signal.calibration import Calibration, cllr
from chassis.signal.calibration_fitting import LEAST_PAIRS, TooFewPairs, fit_calibration
from chassis.signal.calibration_parameters import from_parameters
from gateway.calibration import bootstrap
from gateway.calibration.bootstrap import draws, mean_interval
from gateway.calibration.judging import Chosen, Earlier, fit_and_judge
from gateway.calibration.pairs import LEAST_GENUINE, dated, halves
from tests.fakes.compared_gallery import gallery, pairs_of


def shipped(**likeness: float) -> Calibration:
    """Fitted on another gallery."""
    pairs = pairs_of(gallery(60, **likeness))  # type: ignore[arg-type]  # floats only
    return fit_calibration(pairs.genuine.pairs, pairs.impostors.pairs)


def test_a_probe_is_one_genuine_pair_and_one_impostor_pair_for_each_other() -> None:
    """With the probe's quality, and with whose they are."""
    pairs = pairs_of(gallery(3, 2))
    assert (len(pairs.genuine), len(pairs.impostors), pairs.performers) == (6, 12, 3)
    assert pairs.everybody.ids == tuple(f"performer {number:03d}" for number in range(3))
    assert pairs.genuine.probes.tolist() == pairs.genuine.others.tolist() == [0, 0, 1, 1, 2, 2]
    assert pairs.impostors.probes.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert pairs.impostors.others.tolist() == [1, 2] * 2 + [0, 2] * 2 + [0, 1] * 2
    assert {one.dtype for one in (pairs.impostors.probes, pairs.impostors.others)} == {np.dtype(np.int32)}
    assert set(pairs.impostors.pairs.qualities) == {0.8}
    assert len(pairs_of([]).impostors) == 0


@pytest.mark.parametrize(("undated", "left"), [(0, 90), (26, 64), (27, 90), (90, 90)])
def test_where_enough_are_dated_the_others_are_left_out(undated: int, left: int) -> None:
    """Else all are used, and it is said."""
    compared = [
        replace(one, probe=replace(one.probe, is_undated=number < undated))
        for number, one in enumerate(gallery(30))
    ]
    chosen, dating = dated(compared)
    assert len(chosen) == left
    assert (dating.undated, dating.genuine, dating.are_left_out) == (undated, 90, left < 90)
    if dating.are_left_out:
        assert not any(one.probe.is_undated for one in chosen)
    assert ("flatter" in str(dating)) is (left == 90 and undated > 0)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=16, max_size=40), st.integers(0, 2**64 - 1))
def test_halves_share_nobody_and_are_alike(counts: list[int], seed: int) -> None:
    """Everybody is in one of them; genuine pairs differ by four at most, so both have enough if all do."""
    everybody = gallery(len(counts), 4)
    kept = [one for number, one in enumerate(everybody) if number % 4 < counts[number // 4]]
    pairs = pairs_of(kept)
    first, second = halves(pairs, seed=seed)
    assert not (first & second).any()
    met = {*pairs.genuine.probes.tolist(), *pairs.impostors.others.tolist()}
    assert set(np.flatnonzero(first | second).tolist()) == met
    sizes = [len(pairs.of(half).genuine) for half in (first, second)]
    assert sum(sizes) == len(kept)
    assert abs(sizes[0] - sizes[1]) <= 4
    if len(kept) >= LEAST_GENUINE:
        assert min(sizes) >= LEAST_PAIRS
    for half in (first, second):
        own = pairs.of(half).impostors
        assert half[own.probes].all()
        assert half[own.others].all()


def test_one_that_knows_this_library_is_better_than_one_that_does_not() -> None:
    """Judged on performers that it was not fitted on."""
    pairs = pairs_of(gallery(40, genuine=0.4, impostor=0.0))
    judged = fit_and_judge(pairs, shipped(genuine=0.9, impostor=0.6), seed=0)
    assert judged.held_out.is_better
    assert judged.held_out.own < 0.2 < judged.held_out.shipped
    assert judged.held_out.difference.high < 0
    assert 18 <= judged.held_out.performers <= 22
    assert judged == fit_and_judge(pairs, shipped(genuine=0.9, impostor=0.6), seed=0)


def test_it_is_not_better_than_one_that_knows_more_of_the_same() -> None:
    """Then what ships stays."""
    pairs = pairs_of(gallery(24, genuine=0.7, impostor=0.1))
    everything = pairs_of(gallery(120, genuine=0.7, impostor=0.1))
    best = fit_calibration(everything.genuine.pairs, everything.impostors.pairs)
    assert not fit_and_judge(pairs, best, seed=0).held_out.is_better


def _earlier(calibration: Calibration, genuine_pairs: int) -> Earlier:
    return Earlier(calibration, genuine_pairs)


def _fitted(performers: int, **likeness: float) -> Calibration:
    pairs = pairs_of(gallery(performers, **likeness))  # type: ignore[arg-type]  # floats only
    return fit_calibration(pairs.genuine.pairs, pairs.impostors.pairs)


def test_a_smaller_run_does_not_throw_away_a_good_calibration() -> None:
    """One of many more pairs is kept, whether the small one beats what ships or not."""
    pairs = pairs_of(gallery(24, genuine=0.4, impostor=0.0))
    good = _earlier(_fitted(200, genuine=0.4, impostor=0.0), 600)
    for ships in (shipped(genuine=0.9, impostor=0.6), good.calibration):
        judged = fit_and_judge(pairs, ships, good, seed=0)
        assert judged.chosen is Chosen.EARLIER
        assert judged.held_out.earlier is not None
        assert not judged.held_out.earlier.is_worse_than_shipped


def test_an_earlier_one_that_is_worse_than_what_ships_goes() -> None:
    """It may be of other pictures; whether the new one then comes is between it and what ships."""
    pairs = pairs_of(gallery(24, genuine=0.7, impostor=0.1))
    bad = _earlier(shipped(genuine=0.3, impostor=-0.6), 10_000)
    best = _fitted(200, genuine=0.7, impostor=0.1)
    judged = fit_and_judge(pairs, best, bad, seed=0)
    assert judged.held_out.earlier is not None
    assert judged.held_out.earlier.is_worse_than_shipped
    assert judged.chosen is Chosen.SHIPPED
    assert fit_and_judge(pairs, None, bad, seed=0).chosen is Chosen.NEW


def test_as_many_pairs_replace_an_earlier_one_that_is_not_better() -> None:
    """And the same run again comes to the same calibration, whichever of the two is said to be used."""
    pairs = pairs_of(gallery(60, genuine=0.4, impostor=0.0))
    other = _earlier(_fitted(60, genuine=0.45, impostor=0.1), 100)
    ships = shipped(genuine=0.9, impostor=0.6)
    judged = fit_and_judge(pairs, ships, other, seed=0)
    assert judged.chosen is Chosen.NEW
    own = from_parameters(judged.parameters)
    again = fit_and_judge(pairs, ships, _earlier(own, len(pairs.genuine)), seed=0)
    assert again.own == judged.own
    assert again.chosen in (Chosen.NEW, Chosen.EARLIER)


def test_without_a_shipped_one_it_must_say_something() -> None:
    """Nothing has a C_llr of 1; similarities that mean nothing are no better."""
    useful = fit_and_judge(pairs_of(gallery(40)), None, seed=0).held_out
    assert useful.shipped == pytest.approx(1.0)
    assert useful.is_better
    useless = fit_and_judge(pairs_of(gallery(40, genuine=0.1, impostor=0.1)), None, seed=0).held_out
    assert not useless.is_better


def test_the_held_out_figure_is_the_usual_one() -> None:
    """The same as `cllr` of the ratios of the half that was not fitted on."""
    pairs = pairs_of(gallery(40))
    judged = fit_and_judge(pairs, shipped(), seed=3)
    on, other = (pairs.of(half) for half in halves(pairs, seed=3))
    half = fit_calibration(on.genuine.pairs, on.impostors.pairs)
    ratios = [
        np.array([half.llr(*one) for one in zip(kind.pairs.similarities, kind.pairs.qualities, strict=True)])
        for kind in (other.genuine, other.impostors)
    ]
    assert judged.held_out.own == pytest.approx(cllr(*ratios))


def test_too_few_pairs_are_counted() -> None:
    """How many there are, and how many are needed."""
    with pytest.raises(TooFewPairs, match=f"^63 genuine pairs of 21 performers are too few, {LEAST_GENUINE}"):
        fit_and_judge(pairs_of(gallery(21)), None, seed=0)


@given(st.integers(1, 50), st.integers(0, 2**64 - 1))
def test_as_many_are_drawn_as_there_are(performers: int, seed: int) -> None:
    """In each draw."""
    drawn = np.concatenate(list(draws(performers, seed=seed)))
    assert drawn.shape == (2000, performers)
    assert (drawn.sum(axis=1) == performers).all()
    assert (drawn >= 0).all()


def test_many_performers_are_drawn_a_few_draws_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are; the same is drawn as all at a time."""
    whole = np.concatenate(list(draws(7, seed=1)))
    monkeypatch.setattr(bootstrap, "_MOST_AT_ONCE", 21)
    portions = list(draws(7, seed=1))
    assert max(len(one) for one in portions) == 3
    assert (np.concatenate(portions) == whole).all()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-5, 5)), min_size=1, max_size=40))
def test_a_mean_over_performers_counts_each_once(values: list[tuple[str, float]]) -> None:
    """However many images they have; it lies in its interval, and that within the values."""
    names, numbers = [name for name, _ in values], np.array([value for _, value in values])
    found = mean_interval(names, numbers, seed=1)
    counts = Counter(names)
    mean = math.fsum(value / counts[name] for name, value in values) / len(counts)
    assert found.value == pytest.approx(mean, abs=1e-9)
    assert numbers.min() - 1e-9 <= found.low <= found.high <= numbers.max() + 1e-9
