"""What became of pictures that were read to enrol more of somebody. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from client.catalogue import EnrollReply

__all__ = ["Outcome", "PictureResult", "Filled", "outcome_of", "reason_of"]


class Outcome(StrEnum):
    """What became of one picture."""

    ENROLLED = "enrolled"
    ALREADY = "already enrolled"
    """The same bytes were enrolled before, from elsewhere."""
    REJECTED = "rejected"
    FAILED = "failed"
    """Could not be read, and will not be read again."""
    UNREACHABLE = "unreachable"
    """Could not be read this time."""
    UNANSWERED = "not answered"
    """A signal was away or late, also the second time."""

    @property
    def is_open(self) -> bool:
        """Whether another run tries the picture again."""
        return self in (Outcome.UNREACHABLE, Outcome.UNANSWERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureResult:
    """One picture of one performer. `reason`: a word, and `detail`: in words; "" when it is enrolled."""

    performer_id: str
    name: str
    uri: str
    source: str
    outcome: Outcome
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Filled:
    """One performer when it is over."""

    performer_id: str
    name: str
    is_reached: bool
    """Whether there is enough now."""
    is_refused: bool
    """Whether nothing was tried, because nothing says that the performer is an adult."""


def outcome_of(reply: EnrollReply, *, is_new: bool) -> Outcome:
    """What became of a picture that was answered; is_new: this reply or one before learned something."""
    if reply.is_accepted:
        return Outcome.ENROLLED if is_new else Outcome.ALREADY
    is_temporary = reply.reason is not None and reply.reason.is_temporary
    return Outcome.UNANSWERED if is_temporary else Outcome.REJECTED


def reason_of(reply: EnrollReply) -> str:
    """Why it was refused, as the server's list of images has it; "" when accepted."""
    return "" if reply.is_accepted or reply.reason is None else reply.reason.value.replace(" ", "_")
