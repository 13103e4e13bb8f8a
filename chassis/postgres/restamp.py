"""Rows that came from another cluster: their transactions are numbered by its count, which may be ahead of
ours."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.postgres.pool import Connection

__all__ = ["stamp_anew"]

# No row that can be seen was written by a transaction that is still to come, unless a dump brought it.
_UPDATE = """
UPDATE {table} SET xid = pg_current_xact_id() WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
"""
_TABLES = """
SELECT a.attrelid::regclass::text AS name
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attname = 'xid' AND a.atttypid = 'xid8'::regtype AND c.relkind = 'r'
  AND c.relnamespace::regnamespace::text = ANY($1::text[])
ORDER BY name
"""


async def stamp_anew(connection: Connection, schemas: Sequence[str]) -> int:
    """Let rows "from the future" be written by this transaction; how many there were.

    Who follows the tables (columns `xid xid8`) by transactions would otherwise read them again and again,
    and miss rows that are written later with lower numbers. Cheap when there are none. Raises what the
    driver raises.
    """
    async with connection.transaction():
        tables = [row["name"] for row in await connection.fetch(_TABLES, list(schemas))]
        done = [await connection.execute(_UPDATE.format(table=table)) for table in tables]
    return sum(int(tag.rpartition(" ")[2]) for tag in done)
