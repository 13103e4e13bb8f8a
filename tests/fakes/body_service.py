"""A real body service on a real database with the real models."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import grpc
import numpy as np
from numpy.typing import NDArray

from chassis.channels import open_channel
from chassis.config import DatabaseSection, InferenceSection
from chassis.postgres import SchemaSource, migrate
from chassis.protos import to_proto_embedding
from marquee.body.v1 import body_pb2 as pb
from marquee.body.v1 import body_pb2_grpc
from marquee.common.v1 import common_pb2
from services.body.config import BodyConfig, BodySection
from services.body.kinds import KINDS
from services.body.measurement import Measurement
from services.body.population import MEANS, SPREADS
from services.body.serving import open_body
from services.body.table import RATIOS
from services.body.template import encode

__all__ = ["BodySystem", "open_body_system", "migrate_body", "template_of", "enrolment"]

_SOURCES = (SchemaSource("catalogue", "gateway"), SchemaSource("body", "services.body"))


@dataclass(frozen=True, slots=True)
class BodySystem:
    """The service's stub and what is behind it."""

    stub: body_pb2_grpc.BodyServiceAsyncStub
    channel: grpc.aio.Channel
    dsn: str

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

    async def rows(self, performer_id: str) -> int:
        """Rows of a performer that the database has."""
        connection = await asyncpg.connect(self.dsn)
        try:
            count = "SELECT count(*) FROM body.measurements WHERE performer_id = $1"
            return int(await connection.fetchval(count, performer_id))
        finally:
            await connection.close()

    async def enroll(
        self, performer_id: str, *observations: pb.BodyEnrolment, timeout: float = 20
    ) -> Sequence[common_pb2.EnrollOutcome]:
        request = pb.EnrollRequest(performer_id=performer_id, observations=observations)
        return (await self.stub.Enroll(request, timeout=timeout)).outcomes

    async def score(self, template: common_pb2.Template, *performer_ids: str) -> dict[str, pb.BodyScore]:
        query = common_pb2.ScoreQuery(key="q", templates=[template], performer_ids=performer_ids)
        response = await self.stub.Score(pb.ScoreRequest(queries=[query]), timeout=20)
        return {score.performer_id: score for score in response.results[0].scores}

    async def observe(self, image: bytes, *, max_candidates: int = 10) -> pb.ObserveResponse:
        return await self.stub.Observe(
            pb.ObserveRequest(image=image, max_candidates=max_candidates), timeout=60
        )


@asynccontextmanager
async def open_body_system(
    dsn: str,
    *,
    body: BodySection | None = None,
    reached_by: str | None = None,
    inference: InferenceSection | None = None,
) -> AsyncIterator[BodySystem]:
    """A service on a migrated database; `reached_by` is the service's own way to it."""
    config = BodyConfig(
        database=DatabaseSection(dsn=reached_by or dsn),
        inference=inference or InferenceSection(threads=1),
        body=(body or BodySection(port=0)).model_copy(update={"metrics_port": None}),
    )
    async with open_body(config) as server, open_channel(f"127.0.0.1:{server.port}") as channel:
        yield BodySystem(body_pb2_grpc.BodyServiceStub(channel), channel, dsn)


async def migrate_body(dsn: str) -> None:
    """The tables that the body service needs."""
    await migrate(dsn, _SOURCES)


def template_of(
    scores: NDArray[np.float64] | Sequence[float] | float,
    *,
    error: float = 0.03,
    quality: float = 0.9,
    version: str = RATIOS.version,
) -> common_pb2.Template:
    """The template of a body whose ratios have these standard scores in the population."""
    logs = MEANS + SPREADS * np.broadcast_to(np.asarray(scores, np.float64), (len(KINDS),))
    vector = encode(Measurement(logs, np.full(len(KINDS), error**-2)))
    embedding = to_proto_embedding(RATIOS.name, version, vector)
    return common_pb2.Template(signal=common_pb2.SIGNAL_BODY, embeddings=[embedding], quality=quality)


def enrolment(template: common_pb2.Template, *, image: str = "", date: str = "") -> pb.BodyEnrolment:
    """An observation to enrol; `image` names the picture it is from, by default one of its own."""
    content = (image or str(uuid.uuid4())).encode()
    source = common_pb2.ImageSource(image_hash=hashlib.sha256(content).hexdigest(), uri="a.jpg", date=date)
    box = common_pb2.Box(x=1, y=2, width=3, height=4)
    return pb.BodyEnrolment(template=template, box=box, source=source)
