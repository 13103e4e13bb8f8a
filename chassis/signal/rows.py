"""What the SQL of every signal has in common: rows belong to a performer, and all are read at the start."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from chassis.errors import NotFound
from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate

__all__ = ["NO_PERFORMER", "adding_rows", "removing_rows", "every_row"]

NO_PERFORMER = "no such performer, or forgotten"

_BATCH = 5000
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


async def every_row(pool: Pool, query: str, *values: object) -> AsyncGenerator[list[asyncpg.Record], None]:
    """All rows of a query, some thousand at a time, as of one moment. Raises as `adding_rows` does."""
    with translate():
        async with (
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            cursor = await connection.cursor(query, *values)
            while rows := await cursor.fetch(_BATCH):
                yield rows
