"""A real tattoo service on a real database, with real networks that need no training.

The fixture `system` needs the fixtures `database` and `postgres_server`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import pytest_asyncio
from numpy.typing import NDArray

from chassis.channels import open_channel
from chassis.config import DatabaseSection, InferenceSection, ModelsSection
from chassis.geometry import Box
from chassis.images import RGBImage
from chassis.postgres import SchemaSource, migrate
from chassis.protos import to_proto_box, to_proto_embedding
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from marquee.tattoo.v1 import tattoo_pb2_grpc
from services.tattoo.config import OwnEmbedder, TattooConfig, TattooSection
from services.tattoo.serving import open_tattoo
from tests.fakes.pictures import encode
from tests.fakes.service_rows import ServiceRows
from tests.fakes.tattoo_models import LAYOUT_DIMENSION, dark_detector, layout_embedder

__all__ = [
    "MODEL",
    "VERSION",
    "TattooSystem",
    "open_tattoo_system",
    "migrate_tattoo",
    "plain_section",
    "own_embedder",
    "template_of",
    "enrolment",
    "seen",
    "system",
]

MODEL, VERSION = "layout", "1"
"""The embedder of `plain_section`."""

_SOURCES = (SchemaSource("catalogue", "gateway"), SchemaSource("tattoo", "services.tattoo"))


@dataclass(frozen=True, slots=True)
class TattooSystem:
    """The service's stub and what is behind it."""

    address: str
    stub: tattoo_pb2_grpc.TattooServiceAsyncStub
    channel: grpc.aio.Channel
    rows: ServiceRows

    async def performer(self) -> str:
        """A new performer in the catalogue; returns the id."""
        return await self.rows.performer()

    async def observe(self, picture: RGBImage, *, max_candidates: int = 10) -> pb.ObserveResponse:
        request = pb.ObserveRequest(image=encode(picture), max_candidates=max_candidates)
        return await self.stub.Observe(request, timeout=60)

    async def enroll(
        self, performer_id: str, *observations: pb.TattooEnrolment
    ) -> Sequence[common_pb2.EnrollOutcome]:
        request = pb.EnrollRequest(performer_id=performer_id, observations=observations)
        return (await self.stub.Enroll(request, timeout=20)).outcomes

    async def score(self, template: common_pb2.Template, *performer_ids: str) -> dict[str, pb.TattooScore]:
        query = common_pb2.ScoreQuery(key="q", templates=[template], performer_ids=performer_ids)
        response = await self.stub.Score(pb.ScoreRequest(queries=[query]), timeout=20)
        return {score.performer_id: score for score in response.results[0].scores}

    async def known(self, performer_id: str) -> int:
        """Tattoos of a performer that Score knows."""
        scores = await self.score(template_of(1), performer_id)
        return len(scores[performer_id].known) if scores else 0


@asynccontextmanager
async def open_tattoo_system(
    dsn: str, section: TattooSection, *, reached_by: str | None = None
) -> AsyncIterator[TattooSystem]:
    """A service on a migrated database; `reached_by` is the service's own way to it."""
    config = TattooConfig(
        database=DatabaseSection(dsn=reached_by or dsn),
        inference=InferenceSection(threads=1),
        # A place of the test's own, where files of the owner's are kept.
        models=ModelsSection(
            directory=section.detector_file.parent / "models" if section.detector_file else None
        ),
        tattoo=section.model_copy(update={"metrics_port": None}),
    )
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(open_tattoo(config))
        address = f"127.0.0.1:{server.port}"
        channel = await stack.enter_async_context(open_channel(address))
        rows = ServiceRows(dsn, "tattoo.performer_tattoos")
        yield TattooSystem(address, tattoo_pb2_grpc.TattooServiceStub(channel), channel, rows)


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str, tmp_path: Path) -> AsyncIterator[TattooSystem]:
    """A service with nobody enrolled."""
    await migrate_tattoo(database)
    async with open_tattoo_system(database, plain_section(tmp_path)) as system:
        yield system


async def migrate_tattoo(dsn: str) -> None:
    """The tables that the tattoo service needs."""
    await migrate(dsn, _SOURCES)


def own_embedder(
    folder: Path, *, name: str = MODEL, version: str = VERSION, dimension: int = LAYOUT_DIMENSION
) -> OwnEmbedder:
    """The settings of a `layout_embedder`."""
    return OwnEmbedder(
        name=name,
        version=version,
        file=layout_embedder(folder / f"{name}.onnx"),
        size=64,
        layout="NHWC",
        mirror=False,
        dimension=dimension,
        impostor_p99=0.3,
        genuine_median=0.8,
        identification_confidence=0.6,
    )


def plain_section(folder: Path, *embedders: OwnEmbedder, max_tattoos: int = 16) -> TattooSection:
    """Settings that need no built model; by default one embedder, `layout`."""
    own = embedders or (own_embedder(folder),)
    return TattooSection(
        port=0,
        detector_file=dark_detector(folder / "dark.onnx"),
        detector_format="heatmap",
        embedder=tuple(one.name for one in own),
        embedders=own,
        max_tattoos=max_tattoos,
    )


def template_of(
    design: int | NDArray[np.float32],
    *,
    quality: float = 0.9,
    model: str = MODEL,
    version: str = VERSION,
) -> common_pb2.Template:
    """A template with this vector; a number stands for one of its own direction."""
    vector = design if isinstance(design, np.ndarray) else np.eye(LAYOUT_DIMENSION, dtype=np.float32)[design]
    embedding = to_proto_embedding(model, version, vector)
    return common_pb2.Template(signal=common_pb2.SIGNAL_TATTOO, embeddings=[embedding], quality=quality)


def enrolment(
    template: common_pb2.Template,
    *,
    image: str = "",
    date: str = "",
    box: Box = Box(1, 2, 30, 40),  # noqa: B008  # a frozen value
    region: common_pb2.BodyRegion.ValueType = common_pb2.BODY_REGION_LEFT_FOREARM,
) -> pb.TattooEnrolment:
    """An observation to enrol; `image` names the picture it is from, by default one of its own."""
    content = (image or str(uuid.uuid4())).encode()
    source = common_pb2.ImageSource(image_hash=hashlib.sha256(content).hexdigest(), uri="a.jpg", date=date)
    return pb.TattooEnrolment(
        template=template, box=to_proto_box(box), detection_confidence=0.75, region=region, source=source
    )


def seen(tattoo: pb.TattooObservation, *, image: str = "a picture") -> pb.TattooEnrolment:
    """An observation as the gateway sends it on, of a picture named `image`."""
    offered = enrolment(tattoo.template, image=image, region=common_pb2.BODY_REGION_UNKNOWN)
    offered.box.CopyFrom(tattoo.box)
    offered.detection_confidence = tattoo.detection_confidence
    return offered
