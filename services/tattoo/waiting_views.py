"""Performers whose views came from elsewhere and wait to be grouped: the SQL. See `arranging`."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.postgres import Connection, Pool, translate
from chassis.signal.rows import removing_rows
from services.tattoo.arranging import arrange

__all__ = ["WaitingViews", "note_waiting"]


class WaitingViews:
    """Groups the views of one performer at a time, each in a transaction of its own.

    What waits is in the database: a process that is killed loses at most the performer it was at, and any
    other process goes on. Every method raises Unavailable when the database is not there and
    DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def after(self, performer_id: str, *, most: int) -> list[str]:
        """Performers who wait and come after this id, in order; "" comes before all."""
        with translate():
            rows = await self._pool.fetch(_WAITING, performer_id or _LEAST, most)
        return [str(row["performer_id"]) for row in rows]

    async def arrange(self, performer_id: str) -> bool:
        """Group a performer's views; False when nobody waits for it any more."""
        async with removing_rows(self._pool, performer_id) as connection:
            is_waiting = bool(await connection.fetchval(_IS_WAITING, performer_id))
            if is_waiting:
                await arrange(connection, performer_id)
            return is_waiting


async def note_waiting(connection: Connection, performer_ids: Iterable[str]) -> None:
    """Have performers wait, in the transaction that brings their views, with them locked."""
    await connection.execute(_NOTE, sorted(set(performer_ids)))


_LEAST = "00000000-0000-0000-0000-000000000000"
_WAITING = """
SELECT performer_id FROM tattoo.unarranged WHERE performer_id > $1::uuid ORDER BY performer_id LIMIT $2
"""
_IS_WAITING = "SELECT EXISTS (SELECT FROM tattoo.unarranged WHERE performer_id = $1)"
_NOTE = """
INSERT INTO tattoo.unarranged (performer_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING
"""
