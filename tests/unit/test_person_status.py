"""Which signal leads, and when somebody counts as identified."""

from __future__ import annotations

import pytest

from gateway.association import PersonInstance
from gateway.observations import OperatingPoint, Signal
from gateway.person_status import leading_signal, status_of, threshold_of
from marquee.gateway.v1.identification_pb2 import (
    PERSON_STATUS_IDENTIFIED,
    PERSON_STATUS_INSUFFICIENT_SIGNALS,
    PERSON_STATUS_UNKNOWN,
    PersonStatus,
)
from tests.fakes.scenes import body_at, face_at, tattoo_at


def test_the_face_leads_then_the_tattoos_and_a_body_never_does() -> None:
    """No face is not no answer: tattoos take over; a body alone identifies nobody."""
    face, body, tattoo = face_at(0, 0), body_at(0, 0), tattoo_at(0, 0)
    assert leading_signal(PersonInstance(face, body, (tattoo,))) is Signal.FACE
    assert leading_signal(PersonInstance(None, body, (tattoo,))) is Signal.TATTOO
    assert leading_signal(PersonInstance(None, body, ())) is None


def test_the_threshold_is_the_primary_models() -> None:
    """The first operating point counts; without any, nobody can be identified."""
    points = [OperatingPoint("a", "1", 0.4), OperatingPoint("b", "1", 0.7)]
    assert (threshold_of(points), threshold_of([])) == (0.4, 0.0)


@pytest.mark.parametrize(
    ("leading", "threshold", "top_score", "status"),
    [
        (Signal.FACE, 0.5, 0.5, PERSON_STATUS_IDENTIFIED),
        (Signal.FACE, 0.5, 0.499, PERSON_STATUS_UNKNOWN),
        (Signal.TATTOO, 0.5, 1.2, PERSON_STATUS_IDENTIFIED),
        (Signal.FACE, 0.5, None, PERSON_STATUS_UNKNOWN),
        (Signal.FACE, 0.0, 0.9, PERSON_STATUS_UNKNOWN),
        (None, 0.5, 0.9, PERSON_STATUS_INSUFFICIENT_SIGNALS),
        (None, 0.0, None, PERSON_STATUS_INSUFFICIENT_SIGNALS),
    ],
)
def test_status(
    leading: Signal | None, threshold: float, top_score: float | None, status: PersonStatus.ValueType
) -> None:
    """At the threshold is identified; below, without candidates or without a threshold it is not."""
    assert status_of(leading, threshold=threshold, top_score=top_score) == status
