"""From errors to the reasons that an enrolment reply gives."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.errors import DeadlineExceeded, InvalidImage, InvalidInput, MarqueeError, NotFound, Refused
from gateway.age import AgeNotAttested, UnderAge
from gateway.catalogue.do_not_identify import NotToBeIdentified
from gateway.observations import Signal
from gateway.signals import SignalOutcome
from marquee.common.v1 import common_pb2
from marquee.common.v1.common_pb2 import RejectionReason

__all__ = [
    "AmbiguousPerson",
    "NothingVisible",
    "KEPT",
    "reason_of",
    "is_learned",
    "is_outlier",
    "is_unknown",
    "reason_for_image",
]


class AmbiguousPerson(Refused):
    """Nobody's fault: several people are visible and none could be picked as the performer."""


class NothingVisible(Refused):
    """Nobody's fault: no signal sees anybody."""


# The first class that fits decides; whatever else Marquee raises means that something is not there now.
_REASONS: tuple[tuple[type[MarqueeError], RejectionReason.ValueType], ...] = (
    (InvalidImage, common_pb2.REJECTION_REASON_INVALID_IMAGE),
    (InvalidInput, common_pb2.REJECTION_REASON_INVALID_FIELD),
    (NotFound, common_pb2.REJECTION_REASON_UNKNOWN_PERFORMER),
    (UnderAge, common_pb2.REJECTION_REASON_UNDER_AGE),
    (NotToBeIdentified, common_pb2.REJECTION_REASON_DO_NOT_IDENTIFY),
    (AgeNotAttested, common_pb2.REJECTION_REASON_AGE_NOT_ATTESTED),
    (AmbiguousPerson, common_pb2.REJECTION_REASON_AMBIGUOUS_PERSON),
    (NothingVisible, common_pb2.REJECTION_REASON_NOTHING_VISIBLE),
    (DeadlineExceeded, common_pb2.REJECTION_REASON_DEADLINE_EXCEEDED),
)
_ENOUGH = frozenset(
    (
        common_pb2.REJECTION_REASON_DUPLICATE_IMAGE,
        common_pb2.REJECTION_REASON_NEAR_DUPLICATE,
        common_pb2.REJECTION_REASON_SURPLUS,
    )
)
# Of several signals' reasons, the one that tells most about what to do comes first.
_BY_WEIGHT = (
    common_pb2.REJECTION_REASON_UNAVAILABLE,
    common_pb2.REJECTION_REASON_DEADLINE_EXCEEDED,
    common_pb2.REJECTION_REASON_INVALID_IMAGE,
    common_pb2.REJECTION_REASON_INVALID_FIELD,
    common_pb2.REJECTION_REASON_OUTLIER,
    common_pb2.REJECTION_REASON_AMBIGUOUS_PERSON,
    common_pb2.REJECTION_REASON_LOW_QUALITY,
    common_pb2.REJECTION_REASON_NOTHING_VISIBLE,
)


KEPT = _ENOUGH | {common_pb2.REJECTION_REASON_OUTLIER}
"""Reasons of a signal that has the observation, or had it and needs it no more: there is nothing to do."""


def reason_of(error: MarqueeError) -> RejectionReason.ValueType:
    """The contract's reason for an error; UNAVAILABLE for all that another try may cure."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return common_pb2.REJECTION_REASON_UNAVAILABLE


def is_learned(outcome: SignalOutcome) -> bool:
    """Whether the signal committed something of the image, has this image already, or has enough like it."""
    return outcome.accepted > 0 or any(one.reason in _ENOUGH for one in outcome.rejected)


def is_outlier(outcome: SignalOutcome) -> bool:
    """Whether the signal says that what it was given seems to be somebody else's."""
    return any(one.reason == common_pb2.REJECTION_REASON_OUTLIER for one in outcome.rejected)


def is_unknown(outcome: SignalOutcome) -> bool:
    """Whether the signal says that there is no such performer any more."""
    return any(one.reason == common_pb2.REJECTION_REASON_UNKNOWN_PERFORMER for one in outcome.rejected)


def reason_for_image(
    outcomes: Mapping[Signal, SignalOutcome],
) -> tuple[RejectionReason.ValueType, str]:
    """Why no signal learned anything of an image, and in words: the weightiest of the signals' reasons.

    A quality is told with its signal's name, because each has its own measure.
    """
    details: dict[RejectionReason.ValueType, str] = {}
    for signal, outcome in outcomes.items():
        for rejection in outcome.rejected:
            is_quality = rejection.reason == common_pb2.REJECTION_REASON_LOW_QUALITY
            words = f"{signal.label}: {rejection.detail}" if is_quality else rejection.detail
            details.setdefault(rejection.reason, words)
    for reason in (*_BY_WEIGHT, *details):
        if reason in details:
            return reason, details[reason]
    return common_pb2.REJECTION_REASON_NOTHING_VISIBLE, "nothing is visible"
