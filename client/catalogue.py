"""Performers and enrolled images, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from client.values import ExternalId, Signal

__all__ = [
    "AgeStatus",
    "PersonChoice",
    "Rejection",
    "BreastRecord",
    "Performer",
    "PerformerRecord",
    "EnrollImage",
    "SignalOutcome",
    "EnrollReply",
    "Forgotten",
    "SignalCount",
]


class AgeStatus(StrEnum):
    """Whether a performer is known to be an adult."""

    VERIFIED = "verified"
    ATTESTED = "attested"
    UNKNOWN = "unknown"
    UNSPECIFIED = "unspecified"


class PersonChoice(StrEnum):
    """How the one person of an image is picked."""

    ONLY_OR_AGREEING = "only or agreeing"
    LARGEST_FACE = "largest face"


class Rejection(StrEnum):
    """Why an image or an observation was not enrolled."""

    DUPLICATE_IMAGE = "duplicate image"
    LOW_QUALITY = "low quality"
    NOTHING_VISIBLE = "nothing visible"
    AMBIGUOUS_PERSON = "ambiguous person"
    UNDER_AGE = "under age"
    AGE_NOT_ATTESTED = "age not attested"
    INVALID_IMAGE = "invalid image"
    UNKNOWN_PERFORMER = "unknown performer"
    UNAVAILABLE = "unavailable"
    DEADLINE_EXCEEDED = "deadline exceeded"
    INVALID_FIELD = "invalid field"
    NEAR_DUPLICATE = "near duplicate"
    SURPLUS = "surplus"
    OUTLIER = "outlier"
    DO_NOT_IDENTIFY = "do not identify"
    UNSPECIFIED = "unspecified"

    @property
    def is_enough(self) -> bool:
        """Whether the signal has the observation, or enough like it: there is nothing to do."""
        return self in (Rejection.DUPLICATE_IMAGE, Rejection.NEAR_DUPLICATE, Rejection.SURPLUS)

    @property
    def is_temporary(self) -> bool:
        """Whether offering the image again may succeed."""
        return self in (Rejection.UNAVAILABLE, Rejection.DEADLINE_EXCEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreastRecord:
    """What one source says of a performer's breasts at some time."""

    size_category: str = ""
    """In the source's words, such as a cup size."""
    natural_probability: float | None = None
    """0..1; None when unknown."""
    effective_from: date | None = None
    effective_until: date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Performer:
    """What the catalogue knows of a performer. Only a name is needed to make one."""

    name: str
    id: str = ""
    """UUID made by the server; empty for a new performer."""
    aliases: tuple[str, ...] = ()
    external_ids: tuple[ExternalId, ...] = ()
    birth_date: date | None = None
    career_start_year: int = 0
    career_end_year: int = 0
    adult_attested: bool = False
    """The owner's word that the performer is an adult in every image."""
    gender: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2."""
    image_url: str = ""
    urls: tuple[str, ...] = ()
    age_status: AgeStatus = AgeStatus.UNSPECIFIED
    """Set by the server."""
    breast_history: tuple[BreastRecord, ...] = ()
    """From metadata, never from pictures."""
    body_ratios: Mapping[str, float] = field(default_factory=dict)
    """By name, such as shoulder_hip_ratio; in a change, kept until something is measured."""


@dataclass(frozen=True, slots=True)
class SignalCount:
    """Enrolled observations of one signal and the performers who have some."""

    observations: int
    performers: int


@dataclass(frozen=True, slots=True)
class PerformerRecord:
    """A performer and what is enrolled; a signal that did not answer is missing."""

    performer: Performer
    coverage: Mapping[Signal, SignalCount]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollImage:
    """One image to enrol."""

    key: str
    """Chosen by the caller; comes back with the reply."""
    performer_id: str
    image: bytes
    uri: str = ""
    """Path or URL the image can be read from again."""
    date: date | None = None
    choice: PersonChoice = PersonChoice.ONLY_OR_AGREEING
    source: str = ""
    """Who names it, such as stashdb.org; empty: the host of a URL, `folder` for a path."""


@dataclass(frozen=True, slots=True)
class SignalOutcome:
    """What one signal made of one image."""

    accepted: int
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True)
class EnrollReply:
    """What became of one image."""

    key: str
    is_accepted: bool
    """Whether a signal committed something, has this image already, or has enough like it."""
    reason: Rejection | None
    """Why the whole image was refused; None when accepted."""
    detail: str
    signals: Mapping[Signal, SignalOutcome]
    image_hash: str

    @property
    def is_new(self) -> bool:
        """Whether this call committed something."""
        return any(outcome.accepted for outcome in self.signals.values())


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What a forgotten performer leaves."""

    deleted: Mapping[Signal, int]
    """Observations deleted."""
    unconfirmed: tuple[Signal, ...]
    """Signals whose process did not confirm; their rows are gone all the same."""
