"""What is known of a performer's tattoos: values, and the contract's messages read."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from chassis.protos import parse_date
from marquee.common.v1.common_pb2 import BodyRegion
from marquee.tattoo.v1 import tattoo_pb2

__all__ = ["KnownRegion", "KnownTattoo", "TattooFacts", "TattooMatch", "facts_of", "match_of"]


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


def facts_of(
    views: Iterable[tattoo_pb2.KnownTattoo], regions: Iterable[tattoo_pb2.KnownRegion]
) -> TattooFacts:
    """Views of one tattoo tell the same of it, so the first one counts. Raises InvalidInput for a malformed
    day."""
    first: dict[str, tattoo_pb2.KnownTattoo] = {}
    for view in views:
        first.setdefault(view.tattoo_id, view)
    return TattooFacts(
        tuple(
            KnownTattoo(
                one.tattoo_id,
                one.region,
                parse_date(one.first_seen_date, field="first_seen_date"),
                parse_date(one.removed_date, field="removed_date"),
            )
            for one in first.values()
        ),
        tuple(_region_of(one) for one in regions if one.knowledge in _IS_TATTOOED),
    )


def match_of(match: tattoo_pb2.TattooMatch) -> TattooMatch:
    return TattooMatch(
        match.tattoo_id, round(match.similarity, 6), match.llr if match.HasField("llr") else None
    )


_IS_TATTOOED = {
    tattoo_pb2.REGION_KNOWLEDGE_KNOWN_TATTOOED: True,
    tattoo_pb2.REGION_KNOWLEDGE_KNOWN_CLEAR: False,
}


def _region_of(one: tattoo_pb2.KnownRegion) -> KnownRegion:
    return KnownRegion(
        region=one.region,
        is_tattooed=_IS_TATTOOED[one.knowledge],
        source=one.source,
        since=parse_date(one.since_date, field="since_date"),
        until=parse_date(one.until_date, field="until_date"),
    )
