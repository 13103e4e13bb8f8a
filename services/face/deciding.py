"""The decision over a performer's faces, applied in the database.

It reads and writes only the database, in the transaction of its caller, who holds the performer: whatever
process enrols, with whatever models in memory, comes to the same end.
"""

from __future__ import annotations

import asyncio

from chassis.postgres.pool import Connection
from chassis.postgres.vectors import vectors_from_bytes
from chassis.signal.primary import PrimaryEmbedder, primary_embedder
from services.face.policy import Decision, JudgedFace, decide

__all__ = ["apply_policy"]

_NOTHING = Decision({}, {})


async def apply_policy(connection: Connection, performer_id: str, *, most: int) -> Decision:
    """Decide over all faces of a performer, write what is to be searched, and return the decision.

    most: faces that are searched. Call it in the transaction that changed the faces, with the performer
    locked (see `chassis.signal.rows.adding_rows`). Faces that the primary embedder does not describe are not
    judged: they keep their state until they are described. Does nothing before any embedder serves.
    """
    primary = await primary_embedder(connection, "face")
    if primary is None:
        return _NOTHING
    faces = await _faces(connection, performer_id, primary)
    decision = await asyncio.to_thread(decide, faces, primary.operating_point, most=most)
    await connection.execute(_DROP, performer_id, list(decision.dropped))
    verdicts = list(decision.verdicts.values())
    states, reasons = [one.state.value for one in verdicts], [one.reason for one in verdicts]
    await connection.execute(_WRITE, performer_id, list(decision.verdicts), states, reasons)
    return decision


async def _faces(connection: Connection, performer_id: str, primary: PrimaryEmbedder) -> list[JudgedFace]:
    rows = await connection.fetch(_FACES, performer_id, *primary.key)
    vectors = vectors_from_bytes([row["vector"] for row in rows], dimension=primary.dimension)
    return [
        JudgedFace(row["image_hash"], row["quality"], vector)
        for row, vector in zip(rows, vectors, strict=True)
    ]


_FACES = """
SELECT image_hash, quality, vector FROM face.vectors
WHERE performer_id = $1 AND model = $2 AND version = $3
"""
_DROP = "DELETE FROM face.vectors WHERE performer_id = $1 AND image_hash = ANY($2::text[])"
_WRITE = """
UPDATE face.vectors AS stored SET state = decided.state, state_reason = decided.reason
FROM unnest($2::text[], $3::text[], $4::text[]) AS decided (image_hash, state, reason)
WHERE stored.performer_id = $1 AND stored.image_hash = decided.image_hash
  AND (stored.state, stored.state_reason) IS DISTINCT FROM (decided.state, decided.reason)
"""
