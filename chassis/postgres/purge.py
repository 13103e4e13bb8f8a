"""Leaving nothing of deleted rows in the files of a cluster.

A deleted row stays in its page until somebody needs the room, in PostgreSQL's log (pg_wal) until a segment
is written over, and, as a sample, in the planner's statistics. For an embedded server whom nobody else uses
meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chassis.errors import StoreError
from chassis.postgres.pool import Connection, connect
from chassis.postgres.translation import translate

__all__ = ["PURGE_SETTINGS", "purge"]

PURGE_SETTINGS: Mapping[str, str] = {"wal_recycle": "off", "autovacuum": "off"}
"""Settings that the server must have been started with: segments of the log are deleted, not renamed and
used again, and nobody but us holds old rows."""


async def purge(dsn: str, schemas: Sequence[str]) -> None:
    """Rewrite every table and begin a new log. Takes as long as copying the database, and as much room as its
    largest table.

    Stopped in the middle it can be repeated. Raises StoreError when somebody else is connected or the
    server was not started with PURGE_SETTINGS, Unavailable when the disk is full.
    """
    async with connect(dsn, application_name="marquee purge") as connection:
        with translate():
            await _check_alone(connection)
            # Statistics of a table that is empty now would be kept as they are.
            await connection.execute(_CLEAR_STATISTICS, list(schemas))
            await connection.execute("VACUUM (FULL, ANALYZE)")
            await connection.execute("CHECKPOINT")  # deletes the tables' old files
            await _begin_new_log(connection)


async def _check_alone(connection: Connection) -> None:
    if await connection.fetchval("SHOW wal_recycle") != "off":
        raise StoreError("the database server was not started for a purge")
    others = await connection.fetchval(_OTHERS)
    if others:
        # With an older view of the tables they would see the deleted rows, which are then kept.
        raise StoreError(f"{others} others are connected to the database: a purge needs it alone")


async def _begin_new_log(connection: Connection) -> None:
    """Go on to a segment that is new.

    Segments that wait to be used again have names that are still to come and the bytes of their first use:
    all of them are passed through.
    """
    waiting = 1
    while waiting:
        await _switch(connection)
        waiting = await connection.fetchval(_WAITING_SEGMENTS)
    await _switch(connection)


async def _switch(connection: Connection) -> None:
    # Without anything written since the last one, a switch does nothing.
    await connection.execute("SELECT pg_logical_emit_message(false, 'marquee', 'purge')")
    await connection.execute("SELECT pg_switch_wal()")
    await connection.execute("SELECT pg_logical_emit_message(false, 'marquee', 'purge')")
    await connection.execute("CHECKPOINT")


_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_CLEAR_STATISTICS = """
SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited)
FROM pg_stats WHERE schemaname = ANY($1::text[])
"""
_WAITING_SEGMENTS = """
SELECT count(*) FROM pg_ls_waldir()
WHERE name ~ '^[0-9A-F]{24}$' AND name > pg_walfile_name(pg_current_wal_insert_lsn())
"""
