"""What is known of a performer's tattoos: the contract's messages read."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.protos import parse_date
from gateway.known_tattoos import KnownRegion, KnownTattoo, TattooFacts, TattooMatch
from marquee.tattoo.v1 import tattoo_pb2

__all__ = ["facts_of", "match_of"]


def facts_of(
    views: Iterable[tattoo_pb2.KnownTattoo], regions: Iterable[tattoo_pb2.KnownRegion], *, weight: float
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
        weight,
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
