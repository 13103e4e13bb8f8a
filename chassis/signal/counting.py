"""How many observations are enrolled of many performers: counted by the database, sent in columns."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from chassis.errors import InvalidInput
from chassis.postgres import Pool, translate
from chassis.protos import parse_uuid
from marquee.common.v1 import counts_pb2

__all__ = ["MOST_PERFORMERS", "count_range", "to_proto_counts", "column_of"]

MOST_PERFORMERS = 50_000
"""Of one range."""
_FIRST = "00000000-0000-0000-0000-000000000000"


async def count_range(
    pool: Pool, statement: str, performers: counts_pb2.PerformerRange, *values: object
) -> list[asyncpg.Record]:
    """Rows of performer id and counts, by id.

    statement: of the performers after $1 and up to $2, at most $3; `values` are what follows. Raises
    InvalidInput for a range that is none, or of too many performers.
    """
    after = parse_uuid(performers.after, field="performers.after") if performers.after else _FIRST
    through = parse_uuid(performers.through, field="performers.through")
    with translate():
        rows = await pool.fetch(statement, after, through, MOST_PERFORMERS + 1, *values)
    if len(rows) > MOST_PERFORMERS:
        raise InvalidInput(f"performers: more than {MOST_PERFORMERS}")
    return rows


def to_proto_counts(rows: Sequence[asyncpg.Record]) -> counts_pb2.ObservationCounts:
    """The first two columns."""
    return counts_pb2.ObservationCounts(
        performer_ids=b"".join(row[0].bytes for row in rows), observations=column_of(rows, 1)
    )


def column_of(rows: Sequence[asyncpg.Record], column: int) -> list[int]:
    """One column of counts."""
    return [row[column] for row in rows]
