"""What the SQL of every signal has in common: rows belong to a performer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.errors import NotFound
from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate

__all__ = ["NO_PERFORMER", "adding_rows", "removing_rows"]

NO_PERFORMER = "no such performer, or forgotten"

# The lock keeps the performer until the rows are committed, and lets writers of one performer take turns.
_LOCK_PERFORMER = "SELECT 1 FROM catalogue.performers WHERE id = $1 FOR NO KEY UPDATE"


@asynccontextmanager
async def adding_rows(pool: Pool, performer_id: str) -> AsyncIterator[Connection]:
    """A connection in a transaction during which the performer stays; committed at the end of the block.

    Transactions that change rows of one performer take turns, over all processes: what one decides from the
    rows that are there, the next one sees. Raises NotFound when there is no such performer, Unavailable when
    the database is not there, DeadlineExceeded when it is too slow.
    """
    async with _changing_rows(pool, performer_id) as (connection, is_there):
        if not is_there:
            raise NotFound(NO_PERFORMER)
        yield connection


@asynccontextmanager
async def removing_rows(pool: Pool, performer_id: str) -> AsyncIterator[Connection]:
    """The same for a performer who may be gone already."""
    async with _changing_rows(pool, performer_id) as (connection, _):
        yield connection


@asynccontextmanager
async def _changing_rows(pool: Pool, performer_id: str) -> AsyncIterator[tuple[Connection, bool]]:
    with translate(missing=NO_PERFORMER):
        async with pool.acquire() as connection, connection.transaction():
            is_there = await connection.fetchval(_LOCK_PERFORMER, performer_id) is not None
            yield connection, is_there
