"""Which signal leads for a person, and whether the best score identifies anybody."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.association import PersonInstance
from gateway.observations import OperatingPoint, Signal
from marquee.gateway.v1.identification_pb2 import (
    PERSON_STATUS_IDENTIFIED,
    PERSON_STATUS_INSUFFICIENT_SIGNALS,
    PERSON_STATUS_UNKNOWN,
    PersonStatus,
)

__all__ = ["leading_signal", "threshold_of", "status_of"]


def leading_signal(person: PersonInstance) -> Signal | None:
    """The face if it is visible, else the tattoos; None when neither is: a body alone identifies nobody."""
    if person.face is not None:
        return Signal.FACE
    return Signal.TATTOO if person.tattoos else None


def threshold_of(points: Sequence[OperatingPoint]) -> float:
    """Score at which a candidate counts as identified, for the leading signal's operating points.

    It is the identification confidence of the primary model, taken as a score; 0 when there is none, and then
    nobody can be identified.
    """
    return points[0].identification_confidence if points else 0.0


def status_of(leading: Signal | None, *, threshold: float, top_score: float | None) -> PersonStatus.ValueType:
    """IDENTIFIED, UNKNOWN or INSUFFICIENT_SIGNALS. `top_score`: None without any candidate."""
    if leading is None:
        return PERSON_STATUS_INSUFFICIENT_SIGNALS
    if threshold > 0 and top_score is not None and top_score >= threshold:
        return PERSON_STATUS_IDENTIFIED
    return PERSON_STATUS_UNKNOWN
