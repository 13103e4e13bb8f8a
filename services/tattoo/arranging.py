"""Views of a performer's tattoos put together again whenever they change: the SQL. See `grouping`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg

from chassis.postgres import Connection, vector_from_bytes
from chassis.signal.primary import PrimaryEmbedder, primary_embedder
from services.tattoo.grouping import View, arranged
from services.tattoo.regions_store import note_observed

__all__ = ["arrange"]


async def arrange(connection: Connection, performer_id: str) -> None:
    """Decide anew which views show the same tattoo, and what was observed of regions.

    In the transaction that changes them, with the performer locked. Judged by the primary embedder of the set
    that serves; a view that it does not describe stays where it is. Views of one tattoo share what the owner
    says of it. Whoever waited for it, see `waiting_views`, waits no more.
    """
    primary = await primary_embedder(connection, "tattoo")
    if primary is not None:
        rows = await connection.fetch(_VIEWS, performer_id, *primary.key)
        await _move(connection, performer_id, rows, primary)
        await connection.execute(_DONE, performer_id)
    await connection.execute(_SHARE_FACTS, performer_id)
    await note_observed(connection, performer_id)


async def _move(
    connection: Connection, performer_id: str, rows: Sequence[asyncpg.Record], primary: PrimaryEmbedder
) -> None:
    views = [_view(row, primary.dimension) for row in rows]
    ids = await asyncio.to_thread(arranged, views, primary.operating_point)
    moved = [
        (performer_id, row["image_hash"], row["box"], tattoo_id)
        for row, view, tattoo_id in zip(rows, views, ids, strict=True)
        if view.tattoo_id != tattoo_id
    ]
    await connection.executemany(_MOVE, moved)


def _view(row: asyncpg.Record, dimension: int) -> View:
    return View(
        key=f"{row['image_hash']} {row['box']}",
        image_hash=row["image_hash"],
        region=row["body_region"],
        vector=vector_from_bytes(row["embedding"], dimension=dimension),
        tattoo_id=str(row["tattoo_id"]),
        is_pinned=row["is_pinned"],
        seq=row["seq"],
    )


_VIEWS = """
SELECT seq, tattoo_id, image_hash, box, body_region, embedding, is_pinned FROM tattoo.performer_tattoos
WHERE performer_id = $1 AND model = $2 AND version = $3
ORDER BY image_hash, box
"""
# Dates that the owner gave belong to the tattoo that the view is taken from.
_MOVE = """
UPDATE tattoo.performer_tattoos SET tattoo_id = $4, known_since = NULL
WHERE performer_id = $1 AND image_hash = $2 AND box = $3
"""
_DONE = "DELETE FROM tattoo.unarranged WHERE performer_id = $1"
_SHARE_FACTS = """
UPDATE tattoo.performer_tattoos AS one
SET known_since = whole.known_since, removed_date = whole.removed_date
FROM (
    SELECT tattoo_id, min(known_since) AS known_since, max(removed_date) AS removed_date
    FROM tattoo.performer_tattoos WHERE performer_id = $1 GROUP BY tattoo_id
) AS whole
WHERE one.performer_id = $1 AND one.tattoo_id = whole.tattoo_id
AND (one.known_since, one.removed_date) IS DISTINCT FROM (whole.known_since, whole.removed_date)
"""
