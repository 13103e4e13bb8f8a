"""Rows as the signals store them, written by a test itself."""

from __future__ import annotations

import uuid

import numpy as np

from chassis.postgres import Connection, Pool

__all__ = ["add_face", "add_tattoo", "add_body", "HASH", "random_vector"]

HASH = "a" * 64
_BOX = [0.0, 0.0, 10.0, 10.0]


def random_vector(dimension: int, seed: int = 0) -> bytes:
    """A unit vector as it is stored: float32, little-endian."""
    vector = np.random.default_rng(seed).normal(size=dimension).astype("<f4")
    return bytes((vector / np.linalg.norm(vector)).tobytes())


async def add_face(
    database: Pool | Connection,
    performer_id: str,
    *,
    model: str = "m",
    image_hash: str = HASH,
    vector: bytes = bytes(8),
) -> int:
    """One vector of a face; its seq."""
    return int(
        await database.fetchval(
            """
            INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)
            VALUES ($1, $2, '1', $3, 0.5, $4, $5) RETURNING seq
            """,
            uuid.UUID(performer_id),
            model,
            vector,
            _BOX,
            image_hash,
        )
    )


async def add_tattoo(
    database: Pool | Connection, performer_id: str, *, image_hash: str = HASH, vector: bytes = bytes(8)
) -> int:
    """One view of a tattoo; its seq."""
    return int(
        await database.fetchval(
            """
            INSERT INTO tattoo.performer_tattoos (performer_id, model, version, body_region, embedding,
                image_url, image_hash, box, confidence, quality)
            VALUES ($1, 'm', '1', 'unknown', $2, '', $3, $4, 0.5, 0.5) RETURNING seq
            """,
            uuid.UUID(performer_id),
            vector,
            image_hash,
            _BOX,
        )
    )


async def add_body(
    database: Pool | Connection, performer_id: str, *, image_hash: str = HASH, vector: bytes = bytes(48)
) -> int:
    """One measured view of a body; its seq."""
    return int(
        await database.fetchval(
            """
            INSERT INTO body.measurements (performer_id, model, version, vector, quality, box, image_hash,
                source)
            VALUES ($1, 'm', '1', $2, 0.5, $3, $4, '') RETURNING seq
            """,
            uuid.UUID(performer_id),
            vector,
            _BOX,
            image_hash,
        )
    )
