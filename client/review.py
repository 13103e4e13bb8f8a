"""Faces that seem to be somebody else's, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from client.values import Signal

__all__ = ["QuarantinedFace", "Discarded"]


@dataclass(frozen=True, slots=True)
class QuarantinedFace:
    """An enrolled face that is kept and not searched."""

    performer_id: str
    name: str
    """The performer's; "" when they were forgotten just now."""
    reason: str
    quality: float
    """0..1."""
    image_hash: str
    """SHA-256 of the image, hexadecimal."""
    uri: str
    """Path or URL of the image; may be empty."""
    date: str
    """YYYY-MM-DD; "" when unknown."""
    tattoos: int
    """Views of tattoos that are enrolled of the performer from the same image."""
    bodies: int
    """Measured bodies likewise."""


@dataclass(frozen=True, slots=True)
class Discarded:
    """Observations deleted by signal that answered, and the signals that did not."""

    deleted: Mapping[Signal, int]
    unavailable: tuple[Signal, ...]
