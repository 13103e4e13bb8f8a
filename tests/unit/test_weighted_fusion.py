"""WEIGHTED equals the original formula, by a second implementation written from its wording alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.weighted import Weights, rank_weighted, weights_of


def _oracle(
    candidate: str,
    face_quality: float | None,
    coverage: float | None,
    face_list: dict[str, float],
    tattoo_list: dict[str, float],
    compatible: frozenset[str],
) -> float:
    """The paragraph, word by word, with nothing shared with the code under test."""
    # face weight 1.0 if quality > 0.8, 0.5 if a face is found, else 0
    if face_quality is None:
        wf = 0.0
    elif face_quality > 0.8:
        wf = 1.0
    else:
        wf = 0.5
    # tattoo weight min(1, 2 x coverage) if tattoos are found, else 0
    wt = 0.0 if coverage is None else min(1.0, 2.0 * coverage)
    # weights normalised to sum 1 (all zero stays zero)
    if wf + wt != 0.0:
        wf, wt = wf / (wf + wt), wt / (wf + wt)
    # score = sum of weight x confidence over round-1 lists only (absent = 0 and does not agree)
    cf = face_list.get(candidate, 0.0)
    ct = tattoo_list.get(candidate, 0.0)
    score = wf * cf + wt * ct
    # x0.5 if a non-empty body-compatible set leaves the candidate out
    if len(compatible) != 0 and candidate not in compatible:
        score = score * 0.5
    # x1.2 if face and tattoo are both > 0
    if cf > 0.0 and ct > 0.0:
        score = score * 1.2
    # range 0..1.2, not clamped
    return score


_names = st.sampled_from(["a", "b", "c", "d", "e"])
_shares = st.floats(0.0, 1.0)
_lists = st.dictionaries(_names, st.one_of(_shares, st.sampled_from([0.0, 1.0])), max_size=5)
_sets = st.frozensets(_names)
_maybe = st.one_of(st.none(), _shares, st.sampled_from([0.8, 0.5, 0.0, 1.0]))


@given(_sets, _maybe, _maybe, _lists, _lists, _sets)
def test_every_score_equals_the_oracle(
    union: frozenset[str],
    face_quality: float | None,
    coverage: float | None,
    face_list: dict[str, float],
    tattoo_list: dict[str, float],
    compatible: frozenset[str],
) -> None:
    """For any evidence, score and order are those of the paragraph."""
    weights = weights_of(face_quality=face_quality, tattoo_coverage=coverage)
    ranked = rank_weighted(union, weights=weights, face=face_list, tattoo=tattoo_list, compatible=compatible)
    expected = {
        name: _oracle(name, face_quality, coverage, face_list, tattoo_list, compatible) for name in union
    }
    assert {one.performer_id: one.score for one in ranked} == expected
    assert [one.performer_id for one in ranked] == sorted(union, key=lambda name: (-expected[name], name))


@given(_maybe, _maybe)
def test_weights_sum_to_one_or_are_all_zero(face_quality: float | None, coverage: float | None) -> None:
    """Normalised: a share each."""
    weights = weights_of(face_quality=face_quality, tattoo_coverage=coverage)
    total = weights.face + weights.tattoo
    assert math.isclose(total, 1.0) or total == 0.0
    assert (total == 0.0) == (face_quality is None and not coverage)


@pytest.mark.parametrize(
    ("face_quality", "coverage", "weights"),
    [
        (None, None, Weights(0.0, 0.0)),
        (0.9, None, Weights(1.0, 0.0)),
        (0.1, None, Weights(1.0, 0.0)),  # half a weight is the whole of it when it is alone
        (None, 0.01, Weights(0.0, 1.0)),
        (None, 0.0, Weights(0.0, 0.0)),
        (0.9, 0.5, Weights(0.5, 0.5)),
        (0.8, 0.25, Weights(0.5, 0.5)),  # not above 0.8: half
        (0.81, 0.25, Weights(2 / 3, 1 / 3)),
        (0.5, 1.0, Weights(1 / 3, 2 / 3)),
    ],
)
def test_weights(face_quality: float | None, coverage: float | None, weights: Weights) -> None:
    """The cases of the paragraph, at and beside its limits."""
    assert weights_of(face_quality=face_quality, tattoo_coverage=coverage) == weights


def test_the_worked_example() -> None:
    """The numbers of docs/fusion.md."""
    weights = weights_of(face_quality=0.91, tattoo_coverage=0.125)
    ranked = rank_weighted(
        frozenset({"anna", "bea", "cleo", "dora"}),
        weights=weights,
        face={"anna": 0.70, "bea": 0.75, "cleo": 0.10},
        tattoo={"anna": 0.90, "cleo": 0.0},
        compatible=frozenset({"anna", "cleo", "dora"}),
    )
    assert weights == Weights(0.8, 0.2)
    assert [(one.performer_id, round(one.score, 4)) for one in ranked] == [
        ("anna", 0.888),
        ("bea", 0.3),
        ("cleo", 0.08),
        ("dora", 0.0),
    ]


def test_the_range_is_not_clamped() -> None:
    """Certain and agreeing evidence scores 1.2."""
    ranked = rank_weighted(frozenset({"a"}), weights=Weights(0.5, 0.5), face={"a": 1.0}, tattoo={"a": 1.0})
    assert ranked[0].score == 1.2


def test_ties_are_broken_by_performer_id() -> None:
    """Equal scores have one order, whatever the order of the lists."""
    ranked = rank_weighted(
        frozenset({"b", "a", "c"}), weights=Weights(1.0, 0.0), face={"c": 0.5, "b": 0.5, "a": 0.5}, tattoo={}
    )
    assert [one.performer_id for one in ranked] == ["a", "b", "c"]


def test_agreement_does_not_ask_for_weight() -> None:
    """Both confidences above 0 agree, even where no coverage gives the tattoo a weight."""
    ranked = rank_weighted(frozenset({"a"}), weights=Weights(1.0, 0.0), face={"a": 0.5}, tattoo={"a": 0.1})
    assert ranked[0].score == pytest.approx(0.6)
