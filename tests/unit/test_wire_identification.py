"""What the client makes of an answer with probabilities, and of one without."""

from __future__ import annotations

from client import _wire
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
