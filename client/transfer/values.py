"""Performers and vectors on their way, as plain frozen values."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from client.catalogue import AgeStatus, Performer, Rejection

__all__ = [
    "NOWHERE",
    "NamedImage",
    "ImportedPerformer",
    "ImportedTexts",
    "ImportedVectors",
    "NotSearchable",
    "Observation",
    "PerformerRecord",
    "PerformerRefusal",
    "RefusedRow",
    "TattooText",
    "VectorRow",
    "unseen_hash",
]

NOWHERE = (0.0, 0.0, 1.0, 1.0)
"""The box of something whose place in its picture nobody knows any more."""


def unseen_hash(uri: str) -> str:
    """What stands for the hash of a picture of which only the URL is known: nobody here has seen its bytes.

    SHA-256 of `url:` and its URL, lower-case hexadecimal.
    """
    return hashlib.sha256(f"url:{uri}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A face or a tattoo in a picture, without the vectors that describe it."""

    quality: float
    """0..1."""
    image_hash: str
    """SHA-256 of the picture's bytes; see `unseen_hash`."""
    uri: str = ""
    date: datetime.date | None = None
    box: tuple[float, float, float, float] = NOWHERE
    """x, y, width, height, pixels."""
    region: str = ""
    """Of a tattoo, as the contract's BodyRegion in lower case; "" for a face."""
    confidence: float = 0.0
    """Of a tattoo's detector, 0..1."""
    removed: datetime.date | None = None
    """Day from which a tattoo is gone."""
    tattoo_id: str = ""
    """The tattoo that this is a view of, a UUID; "" when unknown."""
    state: str = ""
    """Of a face that is kept and not searched `reserve` or `quarantined`."""
    state_reason: str = ""
    """Why, in words."""
    is_confirmed: bool = False
    """Whether the owner says that a face is the performer's, or that this is a view of that tattoo."""
    since: datetime.date | None = None
    """First day of the tattoo, as the owner says."""
    fingerprint: bytes = b""
    """Of the picture of a tattoo, what tells copies of it."""


@dataclass(frozen=True, slots=True)
class VectorRow:
    """One vector of an observation."""

    performer_id: str
    model: str
    version: str
    vector: bytes = field(repr=False)
    """float32, little-endian."""
    seen: Observation


@dataclass(frozen=True, slots=True)
class PerformerRecord:
    """A performer, and ratios of body lengths by name."""

    performer: Performer
    body_ratios: Mapping[str, float] = field(default_factory=dict)


class PerformerRefusal(StrEnum):
    """Why a performer was not stored."""

    UNSPECIFIED = "unspecified"
    INVALID = "invalid"
    UNDER_AGE = "under age"
    CONFLICT = "conflict"
    DO_NOT_IDENTIFY = "do not identify"
    AGE_NOT_ATTESTED = "age not attested"


@dataclass(frozen=True, slots=True)
class ImportedPerformer:
    """What became of a performer; `id` is "" and `refusal` says why when refused."""

    id: str
    is_created: bool
    refusal: PerformerRefusal | None
    detail: str
    age_status: AgeStatus


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A vector that was not stored; `index`: its place in the request."""

    index: int
    reason: Rejection
    detail: str


@dataclass(frozen=True, slots=True)
class NotSearchable:
    """Observations that are stored and cannot be found, and why, in words."""

    model: str
    version: str
    observations: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportedVectors:
    """What became of vectors: how many were written, how many were there, and the others."""

    stored: int
    known: int
    rejected: tuple[RefusedRow, ...]
    not_searchable: tuple[NotSearchable, ...]


@dataclass(frozen=True, slots=True)
class TattooText:
    """What a source says of a performer's tattoo, in words."""

    performer_id: str
    location: str
    description: str
    source: str


@dataclass(frozen=True, slots=True)
class NamedImage:
    """A picture of a performer that was not read here."""

    performer_id: str
    uri: str
    source: str
    """Who names it, such as stashdb.org."""


@dataclass(frozen=True, slots=True)
class ImportedTexts:
    """What was understood: counts of regions and of texts."""

    stored: int
    known: int
    without_region: int
    without_performer: int
