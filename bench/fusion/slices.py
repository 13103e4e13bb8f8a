"""Kinds of pictures, and how often a library has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["LIBRARY", "SLICES", "TWO_PEOPLE", "Slice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A kind of picture."""

    has_face: bool = True
    is_spoilt: bool = False
    has_tattoo: bool = False
    has_body: bool = False
    is_outdated: bool = False
    """What is seen came after the enrolled photographs; what is enrolled is covered."""
    is_poisoned: bool = False
    """A twentieth of the gallery's rows is somebody else's."""
    is_cohort: bool = False
    """The gallery holds the tenth of all performers who are most alike the person."""
    is_for_all: bool = False
    """Also performers without a tattoo are in the slice."""


TWO_PEOPLE = "two people"
SLICES: Mapping[str, Slice] = {
    "clear face, no tattoo": Slice(),
    "clear face + tattoo": Slice(has_tattoo=True),
    "spoilt face, no tattoo": Slice(is_spoilt=True),
    "spoilt face + tattoo": Slice(is_spoilt=True, has_tattoo=True),
    "no face + tattoo": Slice(has_face=False, has_tattoo=True),
    "no face, body only": Slice(has_face=False, has_body=True, is_for_all=True),
    TWO_PEOPLE: Slice(is_spoilt=True, has_tattoo=True, has_body=True, is_for_all=True),
    "out-of-date tattoo": Slice(has_tattoo=True, is_outdated=True),
    "poisoned gallery": Slice(has_tattoo=True, is_poisoned=True),
    "nearest tenth": Slice(has_tattoo=True, is_cohort=True),
}
"""By name."""
LIBRARY: Mapping[str, float] = {
    "clear face, no tattoo": 0.30,
    "clear face + tattoo": 0.20,
    "spoilt face, no tattoo": 0.15,
    "spoilt face + tattoo": 0.12,
    "no face + tattoo": 0.05,
    "no face, body only": 0.03,
    TWO_PEOPLE: 0.10,
    "out-of-date tattoo": 0.05,
}
"""Shares of a library's pictures for the headline: assumed, not measured."""
