"""Whether a replica is what the database is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from bench.soak.load import Load
from bench.soak.replicas import Replica
from chassis.postgres import Pool, vectors_from_bytes
from marquee.face.v1 import face_pb2
from services.face.table import EmbedderRow

__all__ = ["differences"]

_PATIENCE_SECONDS = 10.0
_PROBES = 5
_AT_ONCE = 500
_ALIKE = 1e-4


async def differences(pool: Pool, replicas: Sequence[Replica], row: EmbedderRow, load: Load) -> list[str]:
    """In words, in what any replica differs from the database once it had time to follow.

    The number of vectors, and every performer's similarity to some probes, compared with the definition.
    """
    for _ in range(int(_PATIENCE_SECONDS)):
        found = [
            text for number, one in enumerate(replicas) for text in await _of(pool, number, one, row, load)
        ]
        if not found:
            return []
        await asyncio.sleep(1)
    return found


async def _of(pool: Pool, number: int, replica: Replica, row: EmbedderRow, load: Load) -> list[str]:
    rows = await pool.fetch(_ROWS, *row.key)
    everybody = [str(one["id"]) for one in await pool.fetch("SELECT id FROM catalogue.performers")]
    status = (await replica.stub.GetStatus(face_pb2.GetStatusRequest(), timeout=30)).status
    [vectors] = [one.vectors for one in status.models if (one.name, one.version) == row.key]
    found = [] if vectors == len(rows) else [f"replica {number}: {vectors} vectors, the database {len(rows)}"]
    stored = vectors_from_bytes([one["vector"] for one in rows], dimension=row.dimension)
    owners = np.array([str(one["performer_id"]) for one in rows])
    rng = np.random.default_rng(99)
    for _ in range(_PROBES):
        drawn = rng.normal(size=row.dimension)
        probe = np.asarray(drawn / np.linalg.norm(drawn), np.float32)
        expected: dict[str, float] = {}
        for owner, similarity in zip(owners.tolist(), (stored @ probe).tolist(), strict=True):
            expected[owner] = max(similarity, expected.get(owner, -1.0))
        scores: dict[str, float] = {}
        for start in range(0, len(everybody), _AT_ONCE):
            request = load.query(probe, everybody[start : start + _AT_ONCE])
            reply = await replica.stub.Score(request, timeout=60)
            scores |= {one.performer_id: one.similarity for one in reply.results[0].scores}
        if scores.keys() != expected.keys():
            found.append(f"replica {number}: {len(scores)} performers, the database {len(expected)}")
        elif any(abs(scores[one] - expected[one]) > _ALIKE for one in expected):
            found.append(f"replica {number}: a similarity is another one")
    return found


_ROWS = """
SELECT performer_id, vector FROM face.vectors
WHERE model = $1 AND version = $2 AND state = 'active'
"""
