"""Images that wait for a new model's description, and what became of them, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from client.system import ModelChange
from client.values import Signal

__all__ = ["PendingImage", "PendingTotal", "PendingPage", "ReembedImage", "Reembedding", "ReembedReply"]


@dataclass(frozen=True, slots=True)
class PendingImage:
    """An image that one signal wants to be read again."""

    performer_id: str
    image_hash: str
    """SHA-256 of the bytes at enrolment, hexadecimal."""
    uri: str
    """Path or URL as enrolled; may be empty."""
    signal: Signal
    observations: int
    """Of the signal in this image."""


@dataclass(frozen=True, slots=True)
class PendingTotal:
    """How much a signal has still to do for a change of its models."""

    pending: int
    """Observations."""
    change: ModelChange


@dataclass(frozen=True, slots=True)
class PendingPage:
    """Some images; totals of all pages by signal that changes; signals that could not be asked."""

    images: tuple[PendingImage, ...]
    totals: Mapping[Signal, PendingTotal]
    unavailable: tuple[Signal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReembedImage:
    """One image to describe again."""

    key: str
    """Chosen by the caller; comes back with the reply."""
    performer_id: str
    image: bytes = field(repr=False)
    """The same as at enrolment."""


@dataclass(frozen=True, slots=True)
class Reembedding:
    """What became of one signal's pending observations in an image."""

    described: int
    missed: int
    """They stay pending."""
    detail: str
    """Why some were missed; "" otherwise."""
    is_temporary: bool
    """Whether another try may succeed."""


@dataclass(frozen=True, slots=True)
class ReembedReply:
    """What became of one image; without signals and detail nothing waits for these bytes."""

    key: str
    image_hash: str
    signals: Mapping[Signal, Reembedding]
    detail: str
    """Why the whole image was refused; "" otherwise."""

    @property
    def is_temporary(self) -> bool:
        """Whether a signal was away or late, so that the image is worth another try."""
        return any(each.is_temporary for each in self.signals.values())
