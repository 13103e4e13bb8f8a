"""One performer is at most one of the people in a picture."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fusion.exclusive import exclusive
from gateway.fusion.posterior import Posterior


def believed(unknown: float, **masses: float) -> Posterior:
    """Normalised."""
    total = unknown + sum(masses.values())
    ranked = sorted(masses, key=lambda one: (-masses[one], one))
    return Posterior({one: masses[one] / total for one in ranked}, unknown / total)


def enumerated(people: Sequence[Posterior]) -> list[dict[str, float]]:
    """By summing over all assignments; `` is unknown."""
    sums: list[dict[str, float]] = [{} for _ in people]
    choices = [[("", one.unknown), *one.probabilities.items()] for one in people]
    total = 0.0
    for assignment in itertools.product(*choices):
        named = [candidate for candidate, _ in assignment if candidate]
        if len(set(named)) == len(named):
            mass = float(np.prod([probability for _, probability in assignment]))
            total += mass
            for marginal, (candidate, _) in zip(sums, assignment, strict=True):
                marginal[candidate] = marginal.get(candidate, 0.0) + mass
    return [{one: mass / total for one, mass in marginal.items()} for marginal in sums]


def test_two_who_are_as_alike_a_performer_share_her() -> None:
    """Neither can be sure: one of them is somebody else."""
    first, second = exclusive([believed(0.01, a=0.99), believed(0.01, a=0.99)])
    assert first.probabilities["a"] == pytest.approx(0.4975, abs=1e-3)
    assert second == first
    assert first.unknown == pytest.approx(1 - first.probabilities["a"])


def test_the_surer_one_keeps_her_and_the_other_is_the_next() -> None:
    """Not greedy: what the second is instead follows from both."""
    first, second = exclusive([believed(0.01, a=0.95, b=0.04), believed(0.01, a=0.6, b=0.39)])
    assert next(iter(first.probabilities)) == "a"
    assert next(iter(second.probabilities)) == "b"
    assert second.probabilities["b"] > 0.85


def test_two_people_are_exact() -> None:
    """As summing over all assignments."""
    people = [believed(0.2, a=0.5, b=0.2, c=0.1), believed(0.1, a=0.3, b=0.3, d=0.3)]
    for one, expected in zip(exclusive(people), enumerated(people), strict=True):
        assert one.unknown == pytest.approx(expected[""])
        assert all(value == pytest.approx(expected[c]) for c, value in one.probabilities.items())


@pytest.mark.parametrize("people", [[], [believed(0.3, a=0.7)], [believed(0.3, a=0.7), believed(0.3, b=0.7)]])
def test_without_competition_nothing_changes(people: list[Posterior]) -> None:
    """One person, or other candidates each."""
    assert exclusive(people) == people


def test_an_unknown_of_nothing_is_no_fault() -> None:
    """Rounded to 0 by a sure signal."""
    first, second = exclusive([Posterior({"a": 1.0}, 0.0), Posterior({"a": 1.0}, 0.0)])
    for one in (first, second):
        assert sum(one.probabilities.values()) + one.unknown == pytest.approx(1)
        assert one.probabilities["a"] == pytest.approx(0.5, abs=1e-3)


def test_who_has_no_rival_stays_as_sure_as_before() -> None:
    """Whoever competes beside, and however little is left for unknown."""
    alone = Posterior({"z": 1.0}, 1e-30)
    sure = Posterior({"a": 1.0, "b": 1e-9}, 1e-20)
    first, second, third = exclusive([sure, alone, sure])
    assert second is alone
    assert first == third
    assert exclusive([alone, Posterior({"y": 1.0}, 1e-25)]) == [alone, Posterior({"y": 1.0}, 1e-25)]


@pytest.mark.parametrize("people", [2, 3])
def test_however_sure_the_people_are_the_sums_are_right(people: int) -> None:
    """Unknown far under what a number can tell from 1."""
    sure = [Posterior({"a": 1.0, "b": 1e-14}, 1e-20), Posterior({"a": 1.0, "c": 1e-16}, 1e-22)]
    given_ = [*sure, Posterior({"d": 0.5, "a": 0.5}, 1e-18)][:people]
    for one, expected in zip(exclusive(given_), enumerated(given_), strict=True):
        assert one.unknown == pytest.approx(expected[""], rel=0.1)
        assert dict(one.probabilities) == pytest.approx({c: expected[c] for c in one.probabilities}, abs=0.15)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), people=st.integers(2, 4))
def test_it_is_close_to_summing_over_all_assignments(seed: int, people: int) -> None:
    """Probabilities sum to 1, nobody is much more than one person, two people are exact."""
    rng = np.random.default_rng(seed)
    given_ = [
        believed(0.05 + rng.random(), **dict(zip("abc", rng.random(3) ** 3, strict=True)))
        for _ in range(people)
    ]
    found = exclusive(given_)
    for one, expected in zip(found, enumerated(given_), strict=True):
        assert sum(one.probabilities.values()) + one.unknown == pytest.approx(1)
        for candidate, probability in one.probabilities.items():
            assert probability == pytest.approx(expected[candidate], abs=1e-9 if people == 2 else 0.15)
    for candidate in "abc":
        assert sum(one.probabilities[candidate] for one in found) <= 1.2
