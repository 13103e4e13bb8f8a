"""What the client makes of an answer with probabilities, and of one without."""

from __future__ import annotations

import pytest

from client import _wire
from client.rendering import identification_document
from client.values import Contribution, ContributionKind, SceneYear
from marquee.gateway.v1 import identification_pb2 as pb


def test_an_answer_of_bayesian_has_unknown_margin_and_note() -> None:
    """Also where they are 0."""
    note = pb.ANSWER_NOTE_UNCALIBRATED_FOR_THIS_LIBRARY
    reply = pb.IdentifyResponse(people=[pb.Person(unknown_probability=0.25, margin=0.0, notes=[note])])
    [person] = _wire.identification(reply).people
    assert (person.unknown_probability, person.margin, person.is_uncalibrated) == (0.25, 0.0, True)


def test_an_answer_of_weighted_has_none() -> None:
    """Not stated is not 0."""
    [person] = _wire.identification(pb.IdentifyResponse(people=[pb.Person()])).people
    assert (person.unknown_probability, person.margin, person.is_uncalibrated) == (None, None, False)


@pytest.mark.parametrize(
    "kind", [each for each in ContributionKind if each is not ContributionKind.UNSPECIFIED]
)
def test_contributions_keep_kind_number_and_words(kind: ContributionKind) -> None:
    """Each kind of the contract has its own here."""
    number = pb.ContributionKind.Value(f"CONTRIBUTION_KIND_{kind.name}")
    told = pb.Contribution(kind=number, log_ratio=-2.5, summary="speaks against, 1 : 12")
    assert _contributions(told) == (Contribution(kind, -2.5, "speaks against, 1 : 12"),)


def test_a_kind_from_the_future_is_unspecified() -> None:
    """Its number and words are kept."""
    told = pb.Contribution(log_ratio=1.0, summary="gait")
    told.MergeFromString(b"\x08\x63")  # kind 99
    assert _contributions(told) == (Contribution(ContributionKind.UNSPECIFIED, 1.0, "gait"),)


def test_every_kind_of_the_contract_is_known() -> None:
    """A new one in the contract wants a name here."""
    known = {f"CONTRIBUTION_KIND_{each.name}" for each in ContributionKind}
    assert known == set(pb.ContributionKind.keys())


def test_scene_years_are_read() -> None:
    """In the order of the answer; none where none are told."""
    reply = pb.IdentifyResponse(scene_years=[pb.SceneYear(year=2018, probability=0.75)])
    assert _wire.identification(reply).scene_years == (SceneYear(2018, 0.75),)
    assert _wire.identification(pb.IdentifyResponse()).scene_years == ()


def test_the_json_document_has_contributions_and_scene_years() -> None:
    """By the names of the values' fields."""
    told = pb.Contribution(kind=pb.CONTRIBUTION_KIND_FACE, log_ratio=5.0, summary="face")
    person = pb.Person(candidates=[pb.RankedCandidate(contributions=[told])])
    reply = pb.IdentifyResponse(people=[person], scene_years=[pb.SceneYear(year=2018, probability=1.0)])
    document = identification_document("a.jpg", _wire.identification(reply))
    [candidate] = document["people"][0]["candidates"]
    assert [dict(each) for each in candidate["contributions"]] == [
        {"kind": "face", "log_ratio": 5.0, "summary": "face"}
    ]
    assert [dict(each) for each in document["scene_years"]] == [{"year": 2018, "probability": 1.0}]


def _contributions(told: pb.Contribution) -> tuple[Contribution, ...]:
    person = pb.Person(candidates=[pb.RankedCandidate(contributions=[told])])
    [read] = _wire.identification(pb.IdentifyResponse(people=[person])).people
    return read.candidates[0].contributions
