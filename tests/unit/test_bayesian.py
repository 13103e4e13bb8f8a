"""The policy BAYESIAN: probabilities of one person, what is neutral, and what nobody may move."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.association import PersonInstance
from gateway.bayesian import Belief, believe, rank_bayesian
from gateway.circumstances import Circumstances
from gateway.fusion.absence import enrolled_or_not
from gateway.fusion.assumed import UNCALIBRATED
from gateway.fusion.exclusive import exclusive
from gateway.fusion.moment import moment_of
from gateway.observations import Candidate, Signal
from gateway.people import PersonView
from gateway.ranked import Contribution, PersonScores, RankedPerson
from gateway.signals import SignalScore, Trust
from gateway.summaries import spoken_ratio
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import identification_pb2 as pb
from marquee.gateway.v1.identification_pb2 import (
    PERSON_STATUS_IDENTIFIED,
    PERSON_STATUS_INSUFFICIENT_SIGNALS,
    PERSON_STATUS_UNKNOWN,
)
from tests.fakes.scenes import body_at, candidates, face_at, tattoo_at

_BELIEF = Belief(gallery_size=1000, unknown=0.3, identified=0.9)
_PLAIN = Circumstances(moment_of(None, today=datetime.date(2024, 6, 15)))


def view(
    face: Sequence[Candidate] | None = None,
    tattoos: Sequence[Sequence[Candidate]] = (),
    body: Sequence[Candidate] | None = None,
) -> PersonView:
    person = PersonInstance(
        None if face is None else face_at(300, 100, found=face),
        None if body is None else body_at(300, 100, found=body),
        tuple(tattoo_at(300, 250, name=f"t{index}", found=found) for index, found in enumerate(tattoos)),
    )
    return PersonView(person, (common_pb2.BODY_REGION_CHEST,) * len(tattoos), (), 0.1)


def scores(signal: Signal = Signal.FACE, **llrs: float | None) -> PersonScores:
    return {signal: {name: SignalScore(0.5, 0.5, llr) for name, llr in llrs.items()}}


def ranked(
    seen: PersonView,
    said: PersonScores,
    *,
    known: str = "abcdef",
    hints: Mapping[str, float] | None = None,
    belief: Belief = _BELIEF,
    limit: int = 10,
) -> RankedPerson:
    believed = believe(
        seen, scores=said, known=set(known), hints=hints or {}, belief=belief, circumstances=_PLAIN
    )
    return rank_bayesian(seen, believed, believed.posterior, scores=said, belief=belief, limit=limit)


def probabilities(person: RankedPerson) -> Mapping[str, float]:
    return {one.performer_id: one.probability or 0.0 for one in person.candidates}


_FACE = view(face=candidates(a=0.9, b=0.8, c=0.7))


def test_the_probabilities_are_those_of_bayes_rule() -> None:
    """Prior 0.7 / 1000 each and 0.3 for nobody, times ratios shrunk to the power 0.9."""
    person = ranked(_FACE, scores(a=10.0, b=6.0, c=-2.0))
    masses = {one: 0.7 / 1000 * math.exp(0.9 * llr) for one, llr in (("a", 10.0), ("b", 6.0), ("c", -2.0))}
    total = sum(masses.values()) + 0.3
    assert probabilities(person) == pytest.approx({one: mass / total for one, mass in masses.items()})
    assert person.unknown == pytest.approx(0.3 / total)
    assert person.margin == pytest.approx(masses["a"] / total - max(masses["b"], 0.3) / total)
    assert [one.score for one in person.candidates] == list(probabilities(person).values())
    assert person.is_uncalibrated


def test_evidence_of_two_signals_adds_up() -> None:
    """A face and a tattoo that agree are more than either; one that disagrees takes it back."""
    both = view(face=candidates(a=0.9), tattoos=[candidates(a=0.8)])
    face, tattoo = scores(a=8.0), scores(Signal.TATTOO, a=5.0)
    alone, together = ranked(both, face), ranked(both, {**face, **tattoo})
    against = ranked(both, {**face, **scores(Signal.TATTOO, a=-5.0)})
    assert probabilities(against)["a"] < probabilities(alone)["a"] < probabilities(together)["a"]


@pytest.mark.parametrize("llr", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_ratio_is_neutral(llr: float | None) -> None:
    """Not calibrated, or not finite: the candidate stays as probable as its prior."""
    person = ranked(_FACE, scores(a=llr, b=0.0))
    assert probabilities(person)["a"] == pytest.approx(probabilities(person)["b"])


def test_who_has_no_rows_in_a_signal_is_neutral_there() -> None:
    """Missing in Score is not unlike."""
    person = ranked(view(face=candidates(a=0.9), tattoos=[candidates(b=0.8)]), scores(a=9.0))
    assert probabilities(person)["b"] == pytest.approx(
        0.7 / 1000 / (0.7 / 1000 * math.exp(0.9 * 9) + 0.7 / 1000 + 0.3)
    )


def test_a_larger_gallery_makes_everybody_less_probable() -> None:
    """The size counts in the prior alone."""
    few, many = (ranked(_FACE, scores(a=8.0), belief=Belief(size, 0.3, 0.9)) for size in (10, 100_000))
    assert probabilities(few)["a"] > 0.95
    assert probabilities(many)["a"] < 0.05
    assert many.status == PERSON_STATUS_UNKNOWN
    assert few.status == PERSON_STATUS_IDENTIFIED


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_gallery_that_was_counted_before_it_grew_is_no_fault(size: int) -> None:
    """Whoever is a candidate is in it."""
    person = ranked(_FACE, scores(a=1.0), belief=Belief(size, 0.3, 0.9))
    assert sum(probabilities(person).values()) + (person.unknown or 0) == pytest.approx(1)


def test_a_hint_makes_somebody_more_probable_within_bounds() -> None:
    """Twenty times as probable; what it adds others lose; who is unknown to the catalogue is passed over."""
    plain, hinted = (
        ranked(_FACE, scores(a=2.0, b=2.0)),
        ranked(_FACE, scores(a=2.0, b=2.0), hints={"b": 20.0, "z": 20.0}),
    )
    assert probabilities(hinted)["b"] > 15 * probabilities(plain)["b"]
    assert probabilities(hinted)["a"] < probabilities(plain)["a"]
    assert "z" not in probabilities(hinted)


def test_forgotten_performers_have_no_influence() -> None:
    """Neither as candidates nor by what the others would lose to them."""
    person = ranked(_FACE, scores(a=5.0, b=20.0), known="ac")
    assert set(probabilities(person)) == {"a", "c"}
    assert probabilities(person)["a"] == pytest.approx(
        probabilities(ranked(_FACE, scores(a=5.0), known="ac"))["a"]
    )


def test_a_body_alone_says_nothing() -> None:
    """Its ratio is told and not counted: low and flat, whatever it says."""
    seen = view(body=candidates(a=0.9, b=0.5))
    person = ranked(seen, scores(Signal.BODY, a=3.0, b=-3.0))
    assert person.status == PERSON_STATUS_INSUFFICIENT_SIGNALS
    assert probabilities(person)["a"] == pytest.approx(probabilities(person)["b"])
    assert probabilities(person)["a"] < 0.01
    [evidence] = person.candidates[0].evidence
    assert evidence.summary.endswith("speaks for, 20 : 1, not counted")
    assert (evidence.weight, evidence.llr) == (0.0, 3.0)


def test_nobody_to_choose_from_is_unknown() -> None:
    """No candidate at all."""
    person = ranked(view(face=[]), {})
    assert person.candidates == ()
    assert (person.unknown, person.margin) == (1.0, 0.0)
    assert person.status == PERSON_STATUS_UNKNOWN


def test_those_beyond_the_limit_share_in_the_probabilities() -> None:
    """They are not listed, and not given to the others either."""
    one, all_of_them = ranked(_FACE, scores(a=9, b=8, c=7), limit=1), ranked(_FACE, scores(a=9, b=8, c=7))
    assert len(one.candidates) == 1
    assert one.candidates[0].probability == all_of_them.candidates[0].probability


def test_every_evidence_says_what_it_did() -> None:
    """In words and numbers; weights of what is seen sum to 1."""
    seen = view(face=candidates(a=0.9), tattoos=[candidates(a=0.8)])
    person = ranked(seen, {**scores(a=math.log(150)), **scores(Signal.TATTOO, a=-math.log(20))})
    face, tattoo = person.candidates[0].evidence
    assert face.summary.endswith("; speaks for, 150 : 1")
    assert tattoo.summary == "1 tattoo, chest; speaks against, 1 : 20"
    assert (face.weight, tattoo.weight) == (0.5, 0.5)


def test_a_signal_that_told_nothing_has_no_share() -> None:
    """The face was compared; Score of the tattoos failed, or gave no ratio, or a body counts nothing."""
    seen = view(face=candidates(a=0.9), tattoos=[candidates(a=0.8)], body=candidates(a=0.7))
    for said in ({}, scores(Signal.TATTOO, a=None)):
        person = ranked(seen, {**scores(a=3.0), **said, **scores(Signal.BODY, a=1.0)})
        assert [one.weight for one in person.candidates[0].evidence] == [1.0, 0.0, 0.0]
    nothing = ranked(seen, scores(Signal.BODY, a=1.0))
    assert [one.weight for one in nothing.candidates[0].evidence] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("llr", "words"),
    [
        (0.0, "says nothing"),
        (math.log(1.5), "speaks for, 1.5 : 1"),
        (-math.log(3.25), "speaks against, 1 : 3.2"),
        (math.log(15_432), "speaks for, 15,000 : 1"),
        (-math.log(2e9), "speaks against, 1 : 2,000,000,000"),
    ],
)
def test_a_ratio_in_words(llr: float, words: str) -> None:
    """Two digits are enough."""
    assert spoken_ratio(llr) == words


def test_contributions_sum_to_the_log_odds() -> None:
    """Prior, hint, face and tattoo; kinds that say nothing are left out, the prior never."""
    seen = view(face=candidates(a=0.9, b=0.8), tattoos=[candidates(a=0.8)])
    said = {**scores(a=6.0, b=0.0), **scores(Signal.TATTOO, a=-2.0)}
    first, second = ranked(seen, said, hints={"a": 5.0}).candidates
    assert [one.kind for one in first.contributions] == [
        pb.CONTRIBUTION_KIND_PRIOR,
        pb.CONTRIBUTION_KIND_HINT,
        pb.CONTRIBUTION_KIND_FACE,
        pb.CONTRIBUTION_KIND_TATTOO,
    ]
    assert [one.log_ratio for one in first.contributions[2:]] == pytest.approx(
        [0.9 * 6, float(enrolled_or_not(0.9 * -2))]
    )
    assert [one.kind for one in second.contributions] == [
        pb.CONTRIBUTION_KIND_PRIOR,
        pb.CONTRIBUTION_KIND_HINT,  # what others gain, this one loses
    ]
    assert first.contributions[2].summary == "face, quality 0.90: speaks for, 220 : 1"
    _check_sums(ranked(seen, said, hints={"a": 5.0}))


def test_a_calibration_of_this_library_counts_in_full_or_as_it_weighs() -> None:
    """And the answer no longer says that probabilities rest on other libraries."""
    for trust, factor, is_foreign in ((Trust(True), 1.0, False), (Trust(True, 0.5), 0.5, False),
                                      (Trust(False, 0.5), 0.45, True)):  # fmt: skip
        said = {Signal.FACE: {"a": SignalScore(0.5, 0.5, 6.0, trust=trust)}}
        person = ranked(_FACE, said)
        [face] = _of(person, "a", pb.CONTRIBUTION_KIND_FACE)
        assert face.log_ratio == pytest.approx(factor * 6.0)
        assert person.is_uncalibrated == is_foreign
        assert not person.has_uncounted


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan])
def test_a_signal_that_was_shown_to_hurt_counts_nothing(weight: float) -> None:
    """It is told, and the answer says so."""
    said = {Signal.FACE: {"a": SignalScore(0.5, 0.5, 6.0, trust=Trust(True, weight))}}
    person = ranked(_FACE, said)
    assert not _of(person, "a", pb.CONTRIBUTION_KIND_FACE)
    assert person.has_uncounted
    assert not person.is_uncalibrated
    [evidence] = next(one for one in person.candidates if one.performer_id == "a").evidence
    assert evidence.summary.endswith("not counted")


@pytest.mark.parametrize(
    ("trust", "full_views", "factor"),
    [
        (Trust(True, 0.5), 0, 0.5),
        (Trust(True, 0.0), 9, 0.0),
        (Trust(False, 1.0), 3, UNCALIBRATED),
        (Trust(False, 1.0), 2, 0.0),
    ],
)
def test_a_body_counts_where_it_is_shown_to_help_and_untested_by_three_full_views(
    trust: Trust, full_views: int, factor: float
) -> None:
    """Fewer are an accident of the pose. That a body counts nothing is as a rule so, and no note."""
    score = SignalScore(0.5, 0.5, 2.0, trust=trust, full_views=full_views)
    person = ranked(view(face=[], body=candidates(a=0.9)), {Signal.BODY: {"a": score}})
    assert [one.log_ratio for one in _of(person, "a", pb.CONTRIBUTION_KIND_BODY)] == pytest.approx(
        [2 * factor] if factor else []
    )
    assert not person.has_uncounted


def test_the_other_people_are_a_contribution() -> None:
    """Two faces as alike one performer: for each the other one speaks against, and the sum is still right."""
    said = scores(a=12.0)
    believed = believe(_FACE, scores=said, known={"a"}, hints={}, belief=_BELIEF, circumstances=_PLAIN)
    for together in exclusive([believed.posterior, believed.posterior]):
        person = rank_bayesian(_FACE, believed, together, scores=said, belief=_BELIEF, limit=10)
        [others] = _of(person, "a", pb.CONTRIBUTION_KIND_OTHER_PEOPLE)
        assert others.log_ratio < -1
        assert others.summary.startswith("other people in the picture: speaks against, 1 : ")
        _check_sums(person)


def test_who_has_no_rival_has_no_contribution_of_the_other_people() -> None:
    """Two others compete, and the probability of unknown is far under a billionth."""
    believed = [
        believe(_FACE, scores=_certain(one), known={one}, hints={}, belief=_BELIEF, circumstances=_PLAIN)
        for one in "aab"
    ]
    *rivals, alone = [
        rank_bayesian(_FACE, one, together, scores={}, belief=_BELIEF, limit=10)
        for one, together in zip(believed, exclusive([each.posterior for each in believed]), strict=True)
    ]
    assert not _of(alone, "b", pb.CONTRIBUTION_KIND_OTHER_PEOPLE)
    for person in rivals:
        assert _of(person, "a", pb.CONTRIBUTION_KIND_OTHER_PEOPLE)[0].log_ratio < -30
        assert probabilities(person)["a"] == pytest.approx(0.5)
        _check_sums(person)


def _certain(name: str) -> PersonScores:
    return {Signal.FACE: {name: SignalScore(0.5, 0.5, 45.0)}}


def _of(person: RankedPerson, name: str, kind: pb.ContributionKind.ValueType) -> list[Contribution]:
    [candidate] = [one for one in person.candidates if one.performer_id == name]
    return [one for one in candidate.contributions if one.kind == kind]


def _check_sums(person: RankedPerson) -> None:
    for one in person.candidates:
        odds = math.log(one.probability or 0.0) - math.log(person.unknown or 0.0)
        assert math.fsum(each.log_ratio for each in one.contributions) == pytest.approx(odds, abs=1e-8)


@given(llrs=st.dictionaries(st.sampled_from("abc"), st.floats(allow_nan=True, allow_infinity=True)))
def test_whatever_a_signal_says_probabilities_sum_to_one(llrs: dict[str, float]) -> None:
    """Never a crash, never a probability outside 0..1."""
    person = ranked(_FACE, {Signal.FACE: {name: SignalScore(0.5, 0.5, llr) for name, llr in llrs.items()}})
    values = [*probabilities(person).values(), person.unknown or 0.0]
    assert all(0 <= value <= 1 for value in values)
    assert sum(values) == pytest.approx(1)
    _check_sums(person)
