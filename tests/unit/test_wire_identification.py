"""What the client makes of an answer with probabilities, and of one without."""

from __future__ import annotations

import pytest

from client import _wire
from client.rendering import identification_document
from client.values import Contribution, ContributionKind, Hint, HintKind, SceneYear
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


def test_contributions_and_years_arrive_as_values_and_in_documents() -> None:
    """A kind from the future is unspecified, and still has its number."""
    terms = [
        pb.Contribution(
            kind=pb.CONTRIBUTION_KIND_TATTOO_ABSENT,
            log_ratio=-2.0,
            summary="left forearm in view, no tattoo: speaks against, 1 : 7.4",
        ),
        pb.Contribution(kind=99, log_ratio=0.5),  # type: ignore[arg-type]  # of a newer server
    ]
    reply = pb.IdentifyResponse(
        people=[
            pb.Person(
                candidates=[pb.RankedCandidate(contributions=terms)],
                notes=[pb.ANSWER_NOTE_SIGNAL_COUNTS_NOTHING],
                grouping_clearness=0.75,
            )
        ],
        scene_years=[pb.SceneYear(year=2019, probability=0.75), pb.SceneYear(year=2020, probability=0.25)],
    )
    seen = _wire.identification(reply)
    [person] = seen.people
    assert person.has_uncounted
    assert person.grouping_clearness == 0.75
    assert person.candidates[0].contributions == (
        Contribution(
            ContributionKind.TATTOO_ABSENT, -2.0, "left forearm in view, no tattoo: speaks against, 1 : 7.4"
        ),
        Contribution(ContributionKind.UNSPECIFIED, 0.5, ""),
    )
    assert seen.scene_years == (SceneYear(2019, 0.75), SceneYear(2020, 0.25))
    document = identification_document("a.jpg", seen)
    assert document["scene_years"][0] == {"year": 2019, "probability": 0.75}
    assert document["people"][0]["candidates"][0]["contributions"][0]["kind"] == "tattoo absent"


@pytest.mark.parametrize("value", pb.ContributionKind.values())
def test_every_kind_of_contribution_has_a_word(value: pb.ContributionKind.ValueType) -> None:
    """Those of today's contract."""
    reply = pb.RankedCandidate(contributions=[pb.Contribution(kind=value)])
    person = pb.Person(candidates=[reply])
    [person_seen] = _wire.identification(pb.IdentifyResponse(people=[person])).people
    [found] = person_seen.candidates[0].contributions
    words = pb.ContributionKind.Name(value).removeprefix("CONTRIBUTION_KIND_").lower().replace("_", " ")
    assert found.kind.value == words


@pytest.mark.parametrize("kind", list(HintKind))
def test_a_hint_goes_out_by_its_kind(kind: HintKind) -> None:
    """With its factor."""
    sent = _wire.to_hint(Hint("id", 2.5, kind))
    assert pb.HintKind.Name(sent.kind) == f"HINT_KIND_{kind.name}"
    assert (sent.performer_id, sent.factor) == ("id", 2.5)


def test_what_is_not_stated_is_not_sent() -> None:
    """0 is a statement."""
    assert not _wire.to_statement(None).HasField("natural_probability")
    assert _wire.to_statement(0.0).HasField("natural_probability")
