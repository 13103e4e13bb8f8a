"""What changed in a signal's table: the SQL that replicas follow.

A row's seq is given before its transaction commits, so the last seq seen says nothing. Every row has its
transaction's id instead, and what is new is what the snapshot of the last look did not see yet. Below the
*mark*, the lowest transaction that was still under way then (`pg_snapshot_xmin`), there can be nothing new.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import numpy as np
from numpy.typing import NDArray

from chassis.errors import StoreError
from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate
from chassis.signal.model_sets import ModelKey

__all__ = ["Delta", "Feed", "FeedTable", "Listing", "Moment"]

_HEADER = struct.Struct("!11sIi")
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_TRAILER = b"\xff\xff"
# A process that has no connection to spare for so long cannot follow, and says so.
_PATIENCE_SECONDS = 10.0
# A million rows on a slow disk.
_LISTING_SECONDS = 600
# One tuple of `COPY (bigint, xid8, uuid) TO STDOUT (FORMAT binary)`, each field after its length.
_TUPLE = np.dtype(
    [
        ("fields", ">i2"),
        ("seq_size", ">i4"),
        ("seq", ">i8"),
        ("xid_size", ">i4"),
        ("xid", ">u8"),
        ("performer_size", ">i4"),
        ("performer", "V16"),
    ]
)


@dataclass(frozen=True, slots=True)
class FeedTable:
    """A table whose rows have seq, xid, performer_id, model and version, and whose schema has withdrawals."""

    schema: str
    table: str
    active: str = "true"
    """An SQL condition: which rows can be found."""

    @property
    def channel(self) -> str:
        """What the table's triggers notify."""
        return f"marquee_{self.schema}"


@dataclass(frozen=True, slots=True)
class Moment:
    """As of when something was read."""

    epoch: str
    """Which life of which table: server, timeline, database and table. Marks of another one mean nothing."""
    mark: int
    """No transaction below this id can commit any more."""
    snapshot: str
    """Which transactions from the mark on were committed, as PostgreSQL writes it (`pg_snapshot`)."""
    at: datetime
    """By the database's clock."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Every row of one model that can be found at one moment, by seq."""

    moment: Moment
    seqs: NDArray[np.int64]
    xids: NDArray[np.uint64]
    """Of the transactions that wrote them: a seq that is used again has another one."""
    performers: NDArray[np.void]
    """The 16 bytes of each performer's id."""


@dataclass(frozen=True, slots=True)
class Delta:
    """What was committed between two moments."""

    moment: Moment
    """The later one."""
    added: NDArray[np.int64]
    """Seqs of rows that can be found at the later moment."""
    xids: NDArray[np.uint64]
    """Of the transactions that wrote them."""
    withdrawn: NDArray[np.int64]
    """Seqs of rows that can be found no more."""


class Feed:
    """Reads one signal's changes. Raises Unavailable and DeadlineExceeded as the database does."""

    def __init__(self, pool: Pool, table: FeedTable) -> None:
        self._pool = pool
        self.table = table
        names = {"table": f"{table.schema}.{table.table}", "schema": table.schema, "active": table.active}
        self._listing = _LISTING.format(**names)
        self._changes = _CHANGES.format(**names)
        self._now = f"SELECT {_MOMENT}".format(**names)
        self._trim = _TRIM.format(**names)

    def __repr__(self) -> str:
        return f"<Feed of {self.table.schema}.{self.table.table}>"

    async def listing(self, key: ModelKey) -> Listing:
        """Every row of a model, read at one moment."""
        parts: list[bytes] = []

        async def keep(data: bytes) -> None:
            parts.append(data)

        with translate():
            async with (
                self._pool.acquire(timeout=_PATIENCE_SECONDS) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                await connection.execute(f"SET LOCAL statement_timeout = '{_LISTING_SECONDS}s'")
                moment = await self._moment(connection)
                await connection.copy_from_query(
                    self._listing, *key, output=keep, format="binary", timeout=_LISTING_SECONDS
                )
        return await asyncio.to_thread(_listing, moment, parts)

    async def _moment(self, connection: Connection) -> Moment:
        row = await connection.fetchrow(self._now)
        if row is None:
            raise StoreError("the database did not say what time it is")
        return _moment(row)

    async def changes(self, keys: Sequence[ModelKey], since: Moment) -> Delta:
        """What was committed since that moment of these models, and what was withdrawn of any.

        One statement, so one moment: what is in neither list is as it was. Means nothing where `since` is a
        moment of another epoch.
        """
        names, versions = [name for name, _ in keys], [version for _, version in keys]
        with translate():
            async with self._pool.acquire(timeout=_PATIENCE_SECONDS) as connection:
                row = await connection.fetchrow(self._changes, since.mark, since.snapshot, names, versions)
        if row is None:
            raise StoreError("the database did not say what changed")
        return await asyncio.to_thread(_delta, row)

    async def trim(self, seen: Moment) -> None:
        """Delete what was noted of withdrawals before a moment of this database that everyone has seen."""
        with translate():
            async with self._pool.acquire(timeout=_PATIENCE_SECONDS) as connection:
                await connection.execute(self._trim, seen.mark, seen.epoch)


def _moment(row: asyncpg.Record) -> Moment:
    return Moment(row["epoch"], row["mark"], row["snapshot"], row["at"])


def _delta(row: asyncpg.Record) -> Delta:
    return Delta(
        _moment(row),
        np.array(row["added"], np.int64),
        np.array(row["xids"], np.uint64),
        np.array(row["withdrawn"], np.int64),
    )


def _listing(moment: Moment, parts: Sequence[bytes]) -> Listing:
    rows = _rows_of(b"".join(parts))
    rows = rows[np.argsort(rows["seq"], kind="stable")]
    return Listing(moment, rows["seq"].astype(np.int64), rows["xid"].astype(np.uint64), rows["performer"])


def _rows_of(data: bytes) -> NDArray[np.void]:
    """Tuples of a binary COPY. Raises StoreError when it is not as expected."""
    signature, _, extension = _HEADER.unpack_from(data)
    body = data[_HEADER.size + extension : -len(_TRAILER)]
    if signature != _SIGNATURE or not data.endswith(_TRAILER) or len(body) % _TUPLE.itemsize:
        raise StoreError("the database's copy of its rows cannot be read")
    rows = np.frombuffer(body, _TUPLE)
    if len(rows) and not ((rows["fields"] == 3) & (rows["performer_size"] == 16)).all():
        raise StoreError("the database's copy of its rows cannot be read")
    return rows


_EPOCH = """
concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
          (SELECT timeline_id FROM pg_control_checkpoint()),
          (SELECT oid FROM pg_database WHERE datname = current_database()),
          '{table}'::regclass::oid)
"""
_MOMENT = f"""
pg_snapshot_xmin(pg_current_snapshot()) AS mark, pg_current_snapshot()::text AS snapshot,
clock_timestamp() AS at, {_EPOCH} AS epoch
"""
_TRIM = f"DELETE FROM {{schema}}.withdrawals WHERE xid < $1::xid8 AND $2 = {_EPOCH}"
_LISTING = """
SELECT seq, xid, performer_id FROM {table} WHERE model = $1 AND version = $2 AND {active}
"""
_CHANGES = (
    """
WITH added AS (
    SELECT seq, xid FROM {table}
    WHERE xid >= $1::xid8 AND NOT pg_visible_in_snapshot(xid, $2::text::pg_snapshot)
          AND (model, version) IN (SELECT * FROM unnest($3::text[], $4::text[])) AND {active}
)
"""
    + f"SELECT {_MOMENT},"
    + """
       ARRAY(SELECT seq FROM added ORDER BY seq) AS added, ARRAY(SELECT xid FROM added ORDER BY seq) AS xids,
       ARRAY(SELECT row_seq FROM {schema}.withdrawals
             WHERE xid >= $1::xid8 AND NOT pg_visible_in_snapshot(xid, $2::text::pg_snapshot)) AS withdrawn
"""
)
