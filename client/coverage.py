"""How well the gallery covers the performers, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from client.catalogue import Performer, SignalCount
from client.values import Signal

__all__ = [
    "ImageState",
    "FaceCounts",
    "Target",
    "ReasonCount",
    "SourceCoverage",
    "Coverage",
    "PerformerCoverage",
    "CoverageFilter",
]


class ImageState(StrEnum):
    """What became of an image."""

    KNOWN = "known"
    """Named, not read yet."""
    FAILED = "failed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class FaceCounts:
    """Enrolled faces of quality above 0.8 (good), below 0.4 (weak) and between, and those set aside."""

    good: int
    usable: int
    weak: int
    best_quality: float
    """0..1; 0 over several performers."""
    reserve: int
    """Kept and not searched: nearly the same as others, or more than are searched."""
    quarantined: int
    """Kept and not searched: they seem to be somebody else."""
    unsearchable: int = 0
    """Kept and not searched: no embedder in use describes them."""


@dataclass(frozen=True, slots=True)
class Target:
    """Least faces, good faces among them, and bodies wanted of each performer."""

    faces: int
    good_faces: int
    bodies: int


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Images that were rejected, or could not be read, for one reason."""

    state: ImageState
    reason: str
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCoverage:
    """What became of the images that one source named or sent."""

    source: str
    seen: int
    downloaded: int
    """Their bytes came to the server."""
    accepted: int
    with_face: int
    """Of the accepted, those that the face signal has."""
    rejected: int
    failed: int
    known: int
    """Not read yet."""
    open: int
    """Worth another try."""
    reasons: tuple[ReasonCount, ...]
    """Most first."""
    has_brought_nothing: bool
    """Whether none was accepted."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Totals."""

    performers: int
    age_unverified: int
    """Adults by attestation only, without a birth date."""
    without_observations: int
    signals: Mapping[Signal, SignalCount]
    unavailable: tuple[Signal, ...]
    target: Target
    below_target: int | None
    """None when a signal that the target speaks of did not answer."""
    faces: FaceCounts | None
    """None when the face signal did not answer."""
    sources: tuple[SourceCoverage, ...]


@dataclass(frozen=True, slots=True)
class PerformerCoverage:
    """What is enrolled of one performer; a signal that did not answer is missing."""

    performer: Performer
    signals: Mapping[Signal, SignalCount]
    faces: FaceCounts | None
    is_below_target: bool | None
    """None when nobody can say."""
    sources: tuple[SourceCoverage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFilter:
    """Which performers; all conditions must hold."""

    only_below_target: bool = False
    only_without_faces: bool = False
    without_faces_from: str = ""
    """A source such as stashdb.org, with all of its hosts."""
    only_with_open_images: bool = False
    open_images_from: str = ""
