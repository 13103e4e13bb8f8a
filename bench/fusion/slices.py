"""Kinds of pictures, and how often a library has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["LIBRARY", "SLICES", "TWO_PEOPLE", "Skin", "Slice"]


class Skin(Enum):
    """What pictures show where it is known which skin is in view."""

    BARE = auto()
    """A region in which others are known to have a tattoo, and the performer has none."""
    MISSED = auto()
    """The region of the performer's own tattoo, which is not seen."""
    AS_IT_COMES = auto()
    """Any; a tattoo is seen if its region is bare, it was there then, and the detector finds it."""


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
    skin: Skin | None = None
    """None: nothing is known of the skin in view, nor where anybody's tattoos are."""
    is_dated: bool | None = None
    """Tattoos come and go, and the date of the scene is known or not; None: they are always there."""


TWO_PEOPLE = "two people"
SLICES: Mapping[str, Slice] = {
    "clear face, no tattoo": Slice(),
    "clear face + tattoo": Slice(has_tattoo=True),
    "spoilt face, no tattoo": Slice(is_spoilt=True),
    "spoilt face + tattoo": Slice(is_spoilt=True, has_tattoo=True),
    "no face + tattoo": Slice(has_face=False, has_tattoo=True),
    "spoilt face + body, no tattoo": Slice(is_spoilt=True, has_body=True),
    "no face, body only": Slice(has_face=False, has_body=True, is_for_all=True),
    TWO_PEOPLE: Slice(is_spoilt=True, has_tattoo=True, has_body=True, is_for_all=True),
    "out-of-date tattoo": Slice(has_tattoo=True, is_outdated=True),
    "poisoned gallery": Slice(has_tattoo=True, is_poisoned=True),
    "nearest tenth": Slice(has_tattoo=True, is_cohort=True),
    "none there, clear face": Slice(skin=Skin.BARE),
    "none there, spoilt face": Slice(skin=Skin.BARE, is_spoilt=True),
    "missed, clear face": Slice(skin=Skin.MISSED, has_tattoo=True),
    "missed, spoilt face": Slice(skin=Skin.MISSED, has_tattoo=True, is_spoilt=True),
    "skin in view": Slice(skin=Skin.AS_IT_COMES, has_tattoo=True, is_spoilt=True, is_for_all=True),
    "dated scene": Slice(skin=Skin.AS_IT_COMES, has_tattoo=True, is_spoilt=True, is_dated=True),
    "undated scene": Slice(skin=Skin.AS_IT_COMES, has_tattoo=True, is_spoilt=True, is_dated=False),
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
