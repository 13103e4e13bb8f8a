"""One id for a performer that other programs understand, such as stashdb.org:uuid."""

from __future__ import annotations

from collections.abc import Sequence

from client.catalogue import Performer

__all__ = ["MARQUEE", "PREFERRED", "all_ids", "universal_id"]

MARQUEE = "marquee"
"""The authority of performers who have no id elsewhere: the id is Marquee's own."""
PREFERRED = ("stashdb.org", "theporndb.net", "fansdb.cc", "javstash.org", "pmvstash.org")
"""Authorities whose ids are taken first, in this order, unless the owner names others."""


def universal_id(performer: Performer, preferred: Sequence[str] = PREFERRED) -> str:
    """The id at the first preferred authority that gave one, else the first id, else Marquee's own."""
    by_authority = {one.authority: one for one in reversed(performer.external_ids)}
    named = [by_authority[authority] for authority in preferred if authority in by_authority]
    first = next(iter((*named, *performer.external_ids)), None)
    return f"{first.authority}:{first.id}" if first is not None else f"{MARQUEE}:{performer.id}"


def all_ids(performer: Performer) -> tuple[str, ...]:
    """Every id that may stand for the performer in a file."""
    own = (f"{MARQUEE}:{performer.id}",) if performer.id else ()
    return (*(f"{one.authority}:{one.id}" for one in performer.external_ids), *own)
