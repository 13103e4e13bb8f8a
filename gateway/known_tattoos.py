"""What is known of performers' tattoos, and which of them what is seen is most like: values."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from marquee.common.v1.common_pb2 import BodyRegion

__all__ = ["KnownRegion", "KnownTattoo", "TattooFacts", "TattooMatch"]


@dataclass(frozen=True, slots=True)
class KnownTattoo:
    """A tattoo that a performer is known to have, or to have had; dates None when unknown."""

    tattoo_id: str
    region: BodyRegion.ValueType
    first_seen: datetime.date | None = None
    """First day it was seen: it may be older."""
    removed: datetime.date | None = None
    """Day from which it is gone; None while it is there."""


@dataclass(frozen=True, slots=True)
class KnownRegion:
    """What one source says of one region; days None when unknown or open."""

    region: BodyRegion.ValueType
    is_tattooed: bool
    """False: it is clear."""
    source: str = ""
    since: datetime.date | None = None
    until: datetime.date | None = None
    """Last day known of."""


@dataclass(frozen=True, slots=True)
class TattooMatch:
    """Which known tattoo one template is most like; `tattoo_id` "": it cannot be compared.

    `llr`: as that of a score, None until the signal is calibrated.
    """

    tattoo_id: str
    similarity: float
    llr: float | None = None


@dataclass(frozen=True, slots=True)
class TattooFacts:
    """All that is known of one performer: each tattoo once, and every statement on a region.

    A region without a statement and without a tattoo is NO_DATA: nothing follows.
    """

    tattoos: tuple[KnownTattoo, ...] = ()
    regions: tuple[KnownRegion, ...] = ()
    weight: float = 1.0
    """What the signal's calibration weighs, 0..1; 1 where there is none."""
