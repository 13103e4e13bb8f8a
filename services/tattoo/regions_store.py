"""What is known of the regions of performers' bodies: the SQL.

A statement says that a region is tattooed, or that it is clear. Without any nothing is known: NO_DATA.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import asyncpg

from chassis.errors import InvalidInput
from chassis.postgres import Connection, Pool, translate

__all__ = [
    "OBSERVED",
    "Knowledge",
    "RegionStatement",
    "RegionStore",
    "write_statement",
    "write_observed",
    "note_observed",
    "statement_of",
]

OBSERVED = "observed"
"""The source of what was seen in images."""


class Knowledge(StrEnum):
    """What a source says of a region."""

    KNOWN_TATTOOED = "known_tattooed"
    KNOWN_CLEAR = "known_clear"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionStatement:
    """What one source says of one region of one performer."""

    region: str
    """The contract's BodyRegion in lower case, such as left_forearm."""
    knowledge: Knowledge
    source: str
    """`OBSERVED`, or an authority such as stashdb.org."""
    description: str = ""
    """The source's words. Several statements of one source on one region differ in it."""
    since: datetime.date | None = None
    """First day known of."""
    until: datetime.date | None = None
    """Last day known of; None while it is so."""


async def write_statement(connection: Connection, performer_id: str, statement: RegionStatement) -> None:
    """Write what a source says; of the same source, region and description it replaces what was said before.

    Raises InvalidInput for a region said to be clear because nothing was seen: not visible is not absent.
    """
    if statement.source == OBSERVED and statement.knowledge is Knowledge.KNOWN_CLEAR:
        raise InvalidInput("knowledge: that nothing was observed does not make a region clear")
    words = (statement.region, statement.knowledge.value, statement.source, statement.description)
    await connection.execute(_WRITE, performer_id, *words, statement.since, statement.until)


async def write_observed(
    connection: Connection, performer_id: str, region: str, date: datetime.date | None
) -> None:
    """Note that a tattoo was seen in a region; `date`: of the image, the earliest one stays."""
    await connection.execute(_WRITE_OBSERVED, performer_id, region, date)


async def note_observed(connection: Connection, performer_id: str) -> None:
    """Make what was observed of a performer's regions follow from the views that are there.

    A region counts from its earliest day on, and no longer once every tattoo there is gone.
    """
    await connection.execute(_DROP_UNSEEN, performer_id)
    await connection.execute(_NOTE_OBSERVED, performer_id)


class RegionStore:
    """Reads and writes `tattoo.region_knowledge`.

    Every method raises Unavailable when the database is not there and DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def upsert(self, performer_id: str, statement: RegionStatement) -> None:
        """See `write_statement`. Raises NotFound too: no such performer."""
        with translate(missing="no such performer, or forgotten"):
            async with self._pool.acquire() as connection:
                await write_statement(connection, performer_id, statement)

    async def of_performers(self, performer_ids: Sequence[str]) -> dict[str, list[RegionStatement]]:
        """What is said of each performer of whom anything is, by region, source and description."""
        with translate():
            rows = await self._pool.fetch(_OF_PERFORMERS, performer_ids)
        found: dict[str, list[RegionStatement]] = {}
        for row in rows:
            found.setdefault(str(row["performer_id"]), []).append(statement_of(row))
        return found


def statement_of(row: asyncpg.Record) -> RegionStatement:
    """Of a row of `tattoo.region_knowledge`."""
    return RegionStatement(
        region=row["body_region"],
        knowledge=Knowledge(row["knowledge"]),
        source=row["source"],
        description=row["description"],
        since=row["since"],
        until=row["until"],
    )


_WRITE = """
INSERT INTO tattoo.region_knowledge
    (performer_id, body_region, knowledge, source, description, since, until)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (performer_id, body_region, source, description) DO UPDATE
SET knowledge = excluded.knowledge, since = excluded.since, until = excluded.until
"""
# LEAST passes over what is unknown.
_WRITE_OBSERVED = """
INSERT INTO tattoo.region_knowledge AS known
    (performer_id, body_region, knowledge, source, description, since)
VALUES ($1, $2, 'known_tattooed', 'observed', '', $3)
ON CONFLICT (performer_id, body_region, source, description) DO UPDATE
SET since = LEAST(known.since, excluded.since)
WHERE excluded.since < known.since OR (known.since IS NULL AND excluded.since IS NOT NULL)
"""
_DROP_UNSEEN = """
DELETE FROM tattoo.region_knowledge AS known
WHERE performer_id = $1 AND source = 'observed' AND NOT EXISTS (
    SELECT FROM tattoo.performer_tattoos AS seen
    WHERE seen.performer_id = $1 AND seen.body_region = known.body_region
)
"""
_NOTE_OBSERVED = """
INSERT INTO tattoo.region_knowledge AS known
    (performer_id, body_region, knowledge, source, description, since, until)
SELECT performer_id, body_region, 'known_tattooed', 'observed', '',
       min(coalesce(known_since, first_seen_date)),
       CASE WHEN bool_and(removed_date IS NOT NULL) THEN max(removed_date) - 1 END
FROM tattoo.performer_tattoos
WHERE performer_id = $1 AND body_region NOT IN ('unknown', 'other')
GROUP BY performer_id, body_region
ON CONFLICT (performer_id, body_region, source, description) DO UPDATE
SET since = excluded.since, until = excluded.until
WHERE (known.since, known.until) IS DISTINCT FROM (excluded.since, excluded.until)
"""
_OF_PERFORMERS = """
SELECT performer_id, body_region, knowledge, source, description, since, until
FROM tattoo.region_knowledge WHERE performer_id = ANY($1::uuid[])
ORDER BY performer_id, body_region, source, description
"""
