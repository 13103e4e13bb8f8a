"""From one person's observations and scores to the ranking: who is listed, who is judged, and by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from gateway.asking import performers_to_ask, queries_for
from gateway.association import PersonInstance
from gateway.observations import Candidate, OperatingPoint, Signal
from gateway.people import PersonView
from gateway.ranked import PersonScores, RankedPerson
from gateway.ranking import BODY_ONLY_SCORE, rank_person
from gateway.signals import SignalScore
from gateway.summaries import summary_of
from marquee.common.v1 import common_pb2
from marquee.gateway.v1.identification_pb2 import (
    PERSON_STATUS_IDENTIFIED,
    PERSON_STATUS_INSUFFICIENT_SIGNALS,
    PERSON_STATUS_UNKNOWN,
)
from tests.fakes.scenes import body_at, candidates, face_at, tattoo_at

_FACE = candidates(a=0.9, b=0.8, c=0.7)
_POINTS = {signal: [OperatingPoint("m", "1", 0.5)] for signal in Signal}


def _view(
    face: Sequence[Candidate] | None = None,
    tattoos: Sequence[Sequence[Candidate]] = (),
    body: Sequence[Candidate] | None = None,
    *,
    coverage: float = 0.5,
) -> PersonView:
    person = PersonInstance(
        None if face is None else face_at(300, 100, found=face),
        None if body is None else body_at(300, 100, found=body),
        tuple(tattoo_at(300, 250, name=f"t{index}", found=found) for index, found in enumerate(tattoos)),
    )
    region = common_pb2.BODY_REGION_CHEST
    return PersonView(person, (region,) * len(tattoos), (), coverage if tattoos else 0.0)


def _rank(
    view: PersonView,
    scores: PersonScores | None = None,
    *,
    known: str = "abcdef",
    hints: Sequence[str] = (),
    points: Mapping[Signal, Sequence[OperatingPoint]] = _POINTS,
    limit: int = 10,
) -> RankedPerson:
    return rank_person(
        view, scores=scores or {}, known=set(known), hints=hints, operating_points=points, limit=limit
    )


def _scores(person: RankedPerson) -> dict[str, float]:
    return {one.performer_id: round(one.score, 4) for one in person.candidates}


def _body(**compatible: bool) -> PersonScores:
    return {
        Signal.BODY: {
            name: SignalScore(0.5, 0.5, 0.1, is_compatible=fits) for name, fits in compatible.items()
        }
    }


def test_who_disagrees_in_proportions_is_halved() -> None:
    """Measured and outside the tolerance costs half."""
    person = _rank(_view(_FACE, body=()), _body(a=False, b=True))
    assert _scores(person) == {"b": 0.8, "c": 0.7, "a": 0.45}


def test_never_measured_is_compatible() -> None:
    """No body rows count as compatible, and so make the set non-empty:

    who is measured and wrong is halved.
    """
    person = _rank(_view(_FACE, body=()), _body(a=False, b=False))
    assert _scores(person) == {"c": 0.7, "a": 0.45, "b": 0.4}


def test_when_nobody_is_compatible_the_body_says_nothing() -> None:
    """An empty set leaves nobody out."""
    person = _rank(_view(_FACE, body=()), _body(a=False, b=False, c=False))
    assert _scores(person) == {"a": 0.9, "b": 0.8, "c": 0.7}


def test_without_a_body_nobody_is_halved() -> None:
    """No body seen, or a body service that did not score, is neutral."""
    assert _scores(_rank(_view(_FACE))) == {"a": 0.9, "b": 0.8, "c": 0.7}
    assert _scores(_rank(_view(_FACE, body=()))) == {"a": 0.9, "b": 0.8, "c": 0.7}


def test_a_hint_is_listed_and_changes_nobody_else() -> None:
    """A hinted performer whom nobody proposes scores 0 and does not make the compatible set."""
    scores = _body(a=False, b=False, c=False, f=True)
    person = _rank(_view(_FACE, body=()), scores, hints=["f", "unknown"])
    assert _scores(person) == {"a": 0.9, "b": 0.8, "c": 0.7, "f": 0.0}


def test_who_is_not_in_the_catalogue_is_nowhere() -> None:
    """Neither listed nor part of any set."""
    person = _rank(_view(_FACE, body=()), _body(b=True, a=False), known="ac")
    assert _scores(person) == {"c": 0.7, "a": 0.45}


def test_several_tattoos_of_a_person_give_each_performer_the_best_confidence() -> None:
    """The list of a person is the best of all tattoos, and each performer is in it once."""
    view = _view(None, [candidates(a=0.3, b=0.6), candidates(a=0.8)])
    assert _scores(_rank(view)) == {"a": 0.8, "b": 0.6}
    assert {one.confidence for one in view.proposed(Signal.TATTOO).values()} == {0.8, 0.6}


def test_only_the_body_proposed_somebody() -> None:
    """With a face in view such a candidate is listed with 0; with a body alone, low and flat."""
    assert _scores(_rank(_view(_FACE, body=candidates(d=1.0)))) == {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.0}
    alone = _rank(_view(body=candidates(d=1.0, e=0.5)), _body(d=False))
    assert _scores(alone) == {"d": BODY_ONLY_SCORE, "e": BODY_ONLY_SCORE / 2}
    assert (alone.status, alone.threshold) == (PERSON_STATUS_INSUFFICIENT_SIGNALS, 0.0)


def test_the_leading_signals_threshold_counts() -> None:
    """A face is judged by the face model's threshold even where tattoos help;

    without a face by the tattoo's.
    """
    points = {Signal.FACE: [OperatingPoint("f", "1", 0.85)], Signal.TATTOO: [OperatingPoint("t", "1", 0.2)]}
    with_face = _rank(_view(candidates(a=0.8), [candidates(b=0.9)]), points=points)
    assert (with_face.threshold, with_face.status) == (0.85, PERSON_STATUS_UNKNOWN)
    without = _rank(_view(None, [candidates(b=0.3)]), points=points)
    assert (without.threshold, without.status) == (0.2, PERSON_STATUS_IDENTIFIED)
    assert _rank(_view(_FACE), points={}).status == PERSON_STATUS_UNKNOWN


def test_evidence_shows_what_the_score_was_made_of() -> None:
    """Proposed: the figures of the signal's own list. Not proposed: those of Score, which did not count."""
    scores = {Signal.TATTOO: {"a": SignalScore(0.2, 0.1, llr=-1.5), "b": SignalScore(0.9, 0.9)}}
    view = _view(candidates(a=0.9), [candidates(b=0.5)])
    first, second = _rank(view, scores).candidates
    assert [(one.signal, one.confidence, one.is_proposed) for one in first.evidence] == [
        (Signal.FACE, 0.9, True),
        (Signal.TATTOO, 0.1, False),
    ]
    assert first.evidence[1].llr == -1.5
    assert [(one.signal, one.confidence, one.is_proposed) for one in second.evidence] == [
        (Signal.TATTOO, 0.5, True)
    ]
    assert [one.weight for one in first.evidence] == [0.5, 0.5]


def test_the_answer_is_cut_after_it_is_judged() -> None:
    """The limit drops the tail; the status is that of the first."""
    person = _rank(_view(_FACE), limit=1)
    assert (_scores(person), person.status) == ({"a": 0.9}, PERSON_STATUS_IDENTIFIED)


def test_everybody_proposed_is_asked_about_and_hints_first() -> None:
    """The union of all signals, surest first, at most as many as a signal takes."""
    view = _view(candidates(a=0.2), [candidates(b=0.5, a=0.6)], candidates(c=0.1))
    assert performers_to_ask(view, ["h", "c"]) == ("h", "c", "a", "b")
    crowd = _view(candidates(**{f"p{number}": number / 2000 for number in range(1500)}))
    asked = performers_to_ask(crowd, [])
    assert (len(asked), asked[0]) == (1000, "p1499")


def test_a_query_for_everybody_with_a_template_and_a_candidate() -> None:
    """Who has neither is left out; the keys lead back to the people."""
    nobody = PersonView(PersonInstance(None, body_at(0, 0, is_measured=False), ()), (), (), 0.0)
    people = [_view(_FACE), nobody, _view(_FACE, [()])]
    asked = [("a",), ("a",), ("a", "b")]
    assert [query.key for query in queries_for(Signal.FACE, people, asked)] == ["0", "2"]
    assert [query.key for query in queries_for(Signal.BODY, people, asked)] == []
    assert queries_for(Signal.FACE, people, [(), (), ()]) == []


@pytest.mark.parametrize(
    ("signal", "view", "summary"),
    [
        (Signal.FACE, _view(_FACE), "face, quality 0.90"),
        (Signal.BODY, _view(body=()), "body, quality 0.70"),
        (Signal.TATTOO, _view(None, [()]), "1 tattoo, chest"),
        (Signal.TATTOO, _view(None, [(), ()]), "2 tattoos, chest"),
        (Signal.TATTOO, _view(_FACE), ""),
    ],
)
def test_what_was_seen_in_words(signal: Signal, view: PersonView, summary: str) -> None:
    """For people, without numbers they cannot use."""
    assert summary_of(signal, view) == summary


def test_evidence_says_how_many_key_points_agree() -> None:
    """Of the candidate whose they are, and of nobody else."""
    tattoo = (Candidate("a", 0.8, 0.9, 42), Candidate("b", 0.7, 0.8))
    person = _rank(_view(None, [tattoo]))
    assert [one.evidence[0].summary for one in person.candidates] == [
        "1 tattoo, chest, 42 points agree",
        "1 tattoo, chest",
    ]
