"""A real face service on a real database with the real models."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from chassis.channels import open_channel
from chassis.config import DatabaseSection, IndexSection, InferenceSection, ModelsSection
from chassis.models import ModelStore
from chassis.postgres import SchemaSource, migrate
from chassis.protos import to_proto_embedding
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from marquee.face.v1 import face_pb2_grpc
from services.face.config import FaceConfig, FaceSection
from services.face.serving import open_face
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS

__all__ = ["FaceSystem", "open_face_system", "migrate_face", "template_of", "enrolment"]

both_embedders = pytest.mark.skipif(
    not ModelStore().has("mobilefacenet"), reason="mobilefacenet is not built: that needs npm"
)
"""For tests of the default pair of embedders."""

_COUNT = """
SELECT count(DISTINCT image_hash) FROM face.vectors WHERE performer_id = $1 AND state = 'active'
"""
_SOURCES = (SchemaSource("catalogue", "gateway"), SchemaSource("face", "services.face"))


@dataclass(frozen=True, slots=True)
class FaceSystem:
    """The service's stub and what is behind it."""

    stub: face_pb2_grpc.FaceServiceAsyncStub
    dsn: str
    address: str

    async def performer(self) -> str:
        """A new performer in the catalogue; returns the id."""
        performer_id = str(uuid.uuid4())
        await self.execute(
            "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')",
            performer_id,
        )
        return performer_id

    async def execute(self, statement: str, *values: object) -> None:
        """Run a statement past the service."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()

    async def faces(self, performer_id: str) -> int:
        """Faces of a performer that the database has for searching."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return int(await connection.fetchval(_COUNT, performer_id))
        finally:
            await connection.close()

    async def enroll(
        self, performer_id: str, *observations: pb.FaceEnrolment, timeout: float = 20
    ) -> Sequence[common_pb2.EnrollOutcome]:
        request = pb.EnrollRequest(performer_id=performer_id, observations=observations)
        return (await self.stub.Enroll(request, timeout=timeout)).outcomes

    async def score(self, template: common_pb2.Template, *performer_ids: str) -> dict[str, pb.FaceScore]:
        query = common_pb2.ScoreQuery(key="q", templates=[template], performer_ids=performer_ids)
        response = await self.stub.Score(pb.ScoreRequest(queries=[query]), timeout=20)
        return {score.performer_id: score for score in response.results[0].scores}

    async def status(self) -> common_pb2.ServiceStatus:
        return (await self.stub.GetStatus(pb.GetStatusRequest(), timeout=10)).status

    async def pending(self, **options: object) -> pb.ListPendingResponse:
        """`options`: fields of the request."""
        request = pb.ListPendingRequest(**options)  # type: ignore[arg-type]  # of several types
        return await self.stub.ListPending(request, timeout=10)

    async def observe(self, image: bytes, *, max_candidates: int = 10) -> pb.ObserveResponse:
        return await self.stub.Observe(
            pb.ObserveRequest(image=image, max_candidates=max_candidates), timeout=120
        )


@asynccontextmanager
async def open_face_system(
    dsn: str,
    *,
    face: FaceSection | None = None,
    reached_by: str | None = None,
    models: Path | None = None,
    inference: InferenceSection | None = None,
    index: IndexSection | None = None,
) -> AsyncIterator[FaceSystem]:
    """A service on a migrated database; `reached_by` is the service's own way to it."""
    config = FaceConfig(
        database=DatabaseSection(dsn=reached_by or dsn),
        inference=inference or InferenceSection(threads=1),
        models=ModelsSection(directory=models),
        index=index or IndexSection(),
        face=(face or FaceSection(port=0)).model_copy(update={"metrics_port": None}),
    )
    async with AsyncExitStack() as stack:
        address = f"127.0.0.1:{(await stack.enter_async_context(open_face(config))).port}"
        channel = await stack.enter_async_context(open_channel(address))
        yield FaceSystem(face_pb2_grpc.FaceServiceStub(channel), dsn, address)


async def migrate_face(dsn: str) -> None:
    """The tables that the face service needs."""
    await migrate(dsn, _SOURCES)


def template_of(
    seed: int,
    *,
    quality: float = 0.9,
    noise: float = 0.0,
    look: int = 0,
    names: Sequence[str] = DEFAULT_EMBEDDERS,
) -> common_pb2.Template:
    """A face that does not exist: the same seed is the same person, `noise` makes another look of them.

    look: which one; with a noise of 0.3 two are alike by 0.92, as different pictures of one person are.
    """
    embeddings = []
    for name in names:
        row = BUILT_IN_ROWS[name]
        vector = np.random.default_rng(seed).normal(size=row.dimension)
        vector += np.random.default_rng(seed + 10_000 + 1000 * look).normal(size=row.dimension) * noise
        unit = (vector / np.linalg.norm(vector)).astype(np.float32)
        embeddings.append(to_proto_embedding(row.name, row.version, unit))
    return common_pb2.Template(signal=common_pb2.SIGNAL_FACE, embeddings=embeddings, quality=quality)


def enrolment(template: common_pb2.Template, *, image: str = "", date: str = "") -> pb.FaceEnrolment:
    """An observation to enrol; `image` names the picture it is from, by default one of its own."""
    content = (image or str(uuid.uuid4())).encode()
    source = common_pb2.ImageSource(image_hash=hashlib.sha256(content).hexdigest(), uri="a.jpg", date=date)
    box = common_pb2.Box(x=1, y=2, width=30, height=40)
    return pb.FaceEnrolment(template=template, box=box, source=source)
