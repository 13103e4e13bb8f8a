"""The decision over performers' faces, applied in the database.

It reads and writes only the database, in the transaction of its caller, who holds the performers: whatever
process enrols, with whatever models in memory, comes to the same end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg

from chassis.postgres.pool import Connection
from chassis.postgres.vectors import vectors_from_bytes
from chassis.signal.primary import PrimaryEmbedder, primary_embedder
from services.face.policy import Decision, JudgedFace, decide

__all__ = ["apply_policy"]


async def apply_policy(
    connection: Connection, performer_ids: Sequence[str], *, most: int
) -> dict[str, Decision]:
    """Decide over all faces of each performer, write what is to be searched, and return the decisions.

    most: faces of one performer that are searched. Call it in the transaction that changed the faces, with
    the performers locked (see `chassis.signal.rows.adding_rows`). Faces that the primary embedder does not
    describe are not judged: they keep their state until they are described. Does nothing before any embedder
    serves.
    """
    primary = await primary_embedder(connection, "face")
    if primary is None:
        return {}
    rows = await connection.fetch(_FACES, list(performer_ids), *primary.key)
    decisions = await asyncio.to_thread(_decisions, rows, primary, most)
    dropped, changed = _dropped(decisions), _changed(rows, decisions)
    if dropped:
        await connection.execute(_DROP, *zip(*dropped, strict=True))
    if changed:
        await connection.execute(_WRITE, *zip(*changed, strict=True))
    return decisions


def _decisions(rows: Sequence[asyncpg.Record], primary: PrimaryEmbedder, most: int) -> dict[str, Decision]:
    vectors = vectors_from_bytes([row["vector"] for row in rows], dimension=primary.dimension)
    faces: dict[str, list[JudgedFace]] = {}
    for row, vector in zip(rows, vectors, strict=True):
        face = JudgedFace(row["image_hash"], row["quality"], vector, row["is_confirmed"])
        faces.setdefault(str(row["performer_id"]), []).append(face)
    return {one: decide(theirs, primary.operating_point, most=most) for one, theirs in faces.items()}


def _dropped(decisions: Mapping[str, Decision]) -> list[tuple[str, str]]:
    """Performers and images."""
    return [(one, image_hash) for one, decision in decisions.items() for image_hash in decision.dropped]


def _changed(
    rows: Sequence[asyncpg.Record], decisions: Mapping[str, Decision]
) -> list[tuple[str, str, str, str]]:
    """Performers, images, states and reasons of faces that are judged in another way than before."""
    changed = []
    for row in rows:
        performer_id, image_hash = str(row["performer_id"]), row["image_hash"]
        verdict = decisions[performer_id].verdicts.get(image_hash)
        if verdict is not None and (verdict.state, verdict.reason) != (row["state"], row["state_reason"]):
            changed.append((performer_id, image_hash, verdict.state.value, verdict.reason))
    return changed


_FACES = """
SELECT performer_id, image_hash, quality, vector, state, state_reason, is_confirmed FROM face.vectors
WHERE performer_id = ANY($1::uuid[]) AND model = $2 AND version = $3
"""
_DROP = """
DELETE FROM face.vectors AS stored USING unnest($1::uuid[], $2::text[]) AS dropped (performer_id, image_hash)
WHERE (stored.performer_id, stored.image_hash) = (dropped.performer_id, dropped.image_hash)
"""
_WRITE = """
UPDATE face.vectors AS stored SET state = decided.state, state_reason = decided.reason
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
     AS decided (performer_id, image_hash, state, reason)
WHERE (stored.performer_id, stored.image_hash) = (decided.performer_id, decided.image_hash)
"""
