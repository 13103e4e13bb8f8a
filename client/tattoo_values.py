"""Performers' tattoos, as plain frozen values. Regions are the contract's in lower case: left_forearm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from chassis.geometry import Box
from client.catalogue import Performer

__all__ = ["TattooView", "Tattoo", "TattooStatement", "TattooedPerformer"]


@dataclass(frozen=True, slots=True)
class TattooView:
    """What was enrolled of a tattoo from one picture."""

    id: str
    uri: str
    """Path or URL of the picture; may be empty."""
    image_hash: str
    date: date | None
    box: Box
    region: str
    """As seen in this picture; unknown when that was not clear."""
    confidence: float
    """Of the detector, 0..1."""
    quality: float
    """0..1."""
    origin: str
    """observed, or imported."""


@dataclass(frozen=True, slots=True)
class Tattoo:
    """A tattoo, whole."""

    id: str
    region: str
    first_seen: date | None
    """As the owner says, else of the earliest dated view."""
    removed: date | None
    confidence: float
    """The best of the views, 0..1."""
    views: tuple[TattooView, ...]
    """By date."""
    is_confirmed: bool
    """Whether the owner has said something of it."""


@dataclass(frozen=True, slots=True)
class TattooStatement:
    """What one source says of one region."""

    region: str
    is_clear: bool
    """Whether it says that nothing is there."""
    source: str
    words: str
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class TattooedPerformer:
    """What is known of one performer's tattoos."""

    performer: Performer
    tattoos: tuple[Tattoo, ...]
    statements: tuple[TattooStatement, ...]
