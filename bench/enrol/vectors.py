"""Vectors into PostgreSQL and the index: one at a time, in an import's portions, and by plain INSERTs."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np
from numpy.typing import NDArray

from chassis.channels import open_channel
from chassis.postgres import vector_to_bytes
from chassis.protos import to_proto_embedding
from client.api import Marquee
from client.transfer.values import Observation, VectorRow
from client.values import Signal
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2, face_pb2_grpc
from services.face.table import EmbedderRow

__all__ = ["Rate", "enroll_one_by_one", "import_portions", "plain_inserts", "until_searchable"]

_PORTION = 1000
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How many there were, and how long it took."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


async def enroll_one_by_one(
    address: str, performers: Sequence[str], row: EmbedderRow, rng: np.random.Generator
) -> Rate:
    """A face of each performer by the face service's Enroll, one call after the other; searchable then."""
    vectors = _unit_vectors(rng, len(performers), row.dimension)
    async with open_channel(address) as channel:
        stub = face_pb2_grpc.FaceServiceStub(channel)
        started = time.perf_counter()
        for number, (performer, vector) in enumerate(zip(performers, vectors, strict=True)):
            await stub.Enroll(_enrolment(performer, row, vector, f"one by one {number}"), timeout=60)
        return Rate(len(performers), time.perf_counter() - started)


async def import_portions(
    marquee: Marquee,
    signal: Signal,
    performers: Sequence[str],
    key: tuple[str, str],
    dimension: int,
    rng: np.random.Generator,
) -> Rate:
    """An observation of each performer by `ImportVectors`, a thousand at a time, one portion after the other.

    key: model and version of the vectors.
    """
    vectors = _unit_vectors(rng, len(performers), dimension)
    region = "left_forearm" if signal is Signal.TATTOO else ""
    rows = [
        VectorRow(performer, *key, vector.tobytes(), _seen(f"{key[0]} {number}", region))
        for number, (performer, vector) in enumerate(zip(performers, vectors, strict=True))
    ]
    started = time.perf_counter()
    for start in range(0, len(rows), _PORTION):
        result = await marquee.transfer.import_vectors(signal, rows[start : start + _PORTION])
        assert not result.rejected, result.rejected[0]
    return Rate(len(rows), time.perf_counter() - started)


async def until_searchable(marquee: Marquee, model: str, count: int) -> float | None:
    """Seconds until the face service has so many vectors of a model in its index; None after two minutes."""
    started = time.perf_counter()
    while time.perf_counter() - started < _PATIENCE_SECONDS:
        face = (await marquee.status()).signals[Signal.FACE]
        if sum(one.vectors for one in face.models if one.name == model) >= count:
            return time.perf_counter() - started
        await asyncio.sleep(0.05)
    return None


async def plain_inserts(
    dsn: str, performers: Sequence[str], dimension: int, rng: np.random.Generator
) -> Rate:
    """The baseline: an INSERT for each vector, each its own transaction; nothing is checked or searchable."""
    vectors = _unit_vectors(rng, len(performers), dimension)
    connection = await asyncpg.connect(dsn)
    try:
        started = time.perf_counter()
        for number, (performer, vector) in enumerate(zip(performers, vectors, strict=True)):
            data = vector_to_bytes(vector, dimension=dimension)
            await connection.execute(_INSERT, performer, data, _hash(f"plain {number}"))
        return Rate(len(performers), time.perf_counter() - started)
    finally:
        await connection.close()


def _enrolment(
    performer: str, row: EmbedderRow, vector: NDArray[np.float32], image: str
) -> face_pb2.EnrollRequest:
    template = common_pb2.Template(
        signal=common_pb2.SIGNAL_FACE, embeddings=[to_proto_embedding(*row.key, vector)], quality=0.9
    )
    face = face_pb2.FaceEnrolment(
        template=template,
        box=common_pb2.Box(x=1, y=1, width=100, height=100),
        source=common_pb2.ImageSource(image_hash=_hash(image), uri=image),
    )
    return face_pb2.EnrollRequest(performer_id=performer, observations=[face])


def _seen(image: str, region: str) -> Observation:
    box = (1.0, 1.0, 100.0, 100.0)
    return Observation(quality=0.9, image_hash=_hash(image), uri=image, box=box, region=region)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unit_vectors(rng: np.random.Generator, count: int, dimension: int) -> NDArray[np.float32]:
    vectors = rng.normal(size=(count, dimension)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


_INSERT = """
INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)
VALUES ($1, 'plain', '1', $2, 0.9, '{1,1,100,100}', $3)
"""
