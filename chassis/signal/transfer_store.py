"""Vectors to and from other installations in PostgreSQL: the SQL around each signal's own statements."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from chassis.postgres import Connection, Pool, translate
from chassis.signal.model_sets import ModelKey
from chassis.signal.transferred import Cursor, PageQuery, TransferredRow, page_token
from marquee.common.v1 import transfer_pb2

__all__ = ["Imported", "TransferStatements", "TransferStore", "VectorPage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStatements:
    """One signal's SQL; all names are constants of the code."""

    create: str
    """Makes the temporary table that rows are copied into, unless this connection has it already."""
    incoming: str
    """Its name."""
    columns: tuple[str, ...]
    """Its columns, in the order of `values`."""
    values: Callable[[TransferredRow], tuple[object, ...]]
    insert: str
    """Inserts what is in the temporary table, and passes over what is there already."""
    page: str
    """Rows after $1 (model), $2 (version) and $3 (seq), at most $4, with model, version and seq.

    {vector} stands where it selects the vector.
    """
    page_of_all: str
    """The same with those that are kept and not searched."""
    vector: str
    """The name of the vector's column."""
    row: Callable[[asyncpg.Record], transfer_pb2.VectorRow]
    after: Callable[[Connection, Sequence[TransferredRow]], Awaitable[None]]
    """What follows from rows, in the transaction that stores them, with their performers locked."""
    vector_bytes: str
    """The length in bytes of one stored vector of $1 (model) and $2 (version)."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of rows: how many were written, how many were there, and the index of nobody's rows."""

    stored: int
    known: int
    nobodys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VectorPage:
    """Some stored rows; `next_token` is "" on the last page."""

    rows: tuple[transfer_pb2.VectorRow, ...]
    next_token: str


class TransferStore:
    """Writes and reads vectors of any model.

    Every method raises Unavailable when the database is not there and DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool, statements: TransferStatements) -> None:
        self._pool = pool
        self._statements = statements

    async def dimensions(self, keys: Iterable[ModelKey]) -> dict[ModelKey, int]:
        """Dimensions of those of the models that have a stored vector."""
        found = {}
        with translate():
            for key in set(keys):
                size = await self._pool.fetchval(self._statements.vector_bytes, *key)
                if size is not None:
                    found[key] = size // 4
        return found

    async def insert(self, rows: Sequence[TransferredRow]) -> Imported:
        """Store rows in one transaction; it and other changes of one performer take turns."""
        with translate():
            async with self._pool.acquire() as connection, connection.transaction():
                there = await _lock_performers(connection, {row.performer_id for row in rows})
                known = [row for row in rows if row.performer_id in there]
                stored = await self._copy(connection, known) if known else 0
        nobodys = tuple(row.index for row in rows if row.performer_id not in there)
        return Imported(stored, len(known) - stored, nobodys)

    async def page(self, query: PageQuery) -> VectorPage:
        """The rows after a cursor."""
        statements = self._statements
        statement = statements.page_of_all if query.with_set_aside else statements.page
        # A vector is stored beside its row, and what is not selected is not read.
        vector = f"''::bytea AS {statements.vector}" if query.without_vectors else statements.vector
        with translate():
            rows = await self._pool.fetch(statement.format(vector=vector), *query.after, query.size + 1)
        shown = rows[: query.size]
        token = page_token(_cursor(shown[-1])) if len(rows) > query.size else ""
        return VectorPage(tuple(map(self._statements.row, shown)), token)

    async def _copy(self, connection: Connection, rows: Sequence[TransferredRow]) -> int:
        statements = self._statements
        await connection.execute(statements.create)
        await connection.copy_records_to_table(
            statements.incoming, records=map(statements.values, rows), columns=statements.columns
        )
        stored = _count(await connection.execute(statements.insert))
        if stored:
            await statements.after(connection, rows)
        return stored


async def _lock_performers(connection: Connection, performer_ids: Iterable[str]) -> set[str]:
    """Those of the performers who exist, locked until the transaction ends; in one order everywhere."""
    rows = await connection.fetch(_LOCK, sorted(performer_ids))
    return {str(row["id"]) for row in rows}


def _cursor(row: asyncpg.Record) -> Cursor:
    return (row["model"], row["version"], row["seq"])


def _count(status: str) -> int:
    """Rows that an INSERT wrote, by its command tag, such as `INSERT 0 5`."""
    return int(status.rpartition(" ")[2])


_LOCK = "SELECT id FROM catalogue.performers WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE"
