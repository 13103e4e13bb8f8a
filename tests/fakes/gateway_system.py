"""A real gateway on a real database, with fake signals behind real channels."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import grpc

from chassis.channels import open_channel
from chassis.config import DatabaseSection, ImagesSection
from chassis.postgres import SchemaSource, migrate
from chassis.server import Server
from gateway.config import GatewayConfig, GatewaySection
from gateway.serving import open_gateway
from marquee.body.v1 import body_pb2_grpc
from marquee.face.v1 import face_pb2_grpc
from marquee.gateway.v1 import (
    backfill_pb2_grpc,
    catalogue_pb2,
    catalogue_pb2_grpc,
    identification_pb2_grpc,
    status_pb2_grpc,
)
from marquee.tattoo.v1 import tattoo_pb2_grpc
from tests.fakes.pictures import encode, gradient
from tests.fakes.signals import FakeBody, FakeFace, FakeTattoo, ServedSignal, serve

__all__ = ["SCHEMAS", "TODAY", "System", "open_system", "picture"]

SCHEMAS = [
    SchemaSource("catalogue", "gateway"),
    *(SchemaSource(name, f"services.{name}") for name in ("face", "tattoo", "body")),
]

TODAY = datetime.date(2024, 6, 15)


@dataclass(frozen=True, slots=True)
class System:
    """The gateway's stubs, the fakes, and their servers."""

    dsn: str
    server: Server
    channel: grpc.aio.Channel
    face: FakeFace
    tattoo: FakeTattoo
    body: FakeBody
    served: dict[str, ServedSignal]

    @property
    def identification(self) -> identification_pb2_grpc.IdentificationServiceAsyncStub:
        return identification_pb2_grpc.IdentificationServiceStub(self.channel)

    @property
    def catalogue(self) -> catalogue_pb2_grpc.CatalogueServiceAsyncStub:
        return catalogue_pb2_grpc.CatalogueServiceStub(self.channel)

    @property
    def status(self) -> status_pb2_grpc.StatusServiceAsyncStub:
        return status_pb2_grpc.StatusServiceStub(self.channel)

    @property
    def backfill(self) -> backfill_pb2_grpc.BackfillServiceAsyncStub:
        return backfill_pb2_grpc.BackfillServiceStub(self.channel)

    async def performer(
        self,
        name: str,
        *,
        birth_date: str = "1990-01-01",
        adult_attested: bool = False,
        external_ids: Mapping[str, str] | None = None,
        urls: Sequence[str] = (),
    ) -> str:
        """Create a performer, an adult unless told otherwise; returns the id."""
        performer = catalogue_pb2.Performer(
            name=name,
            birth_date=birth_date,
            adult_attested=adult_attested,
            external_ids=[
                catalogue_pb2.ExternalId(authority=authority, id=id_)
                for authority, id_ in (external_ids or {}).items()
            ],
            urls=urls,
        )
        request = catalogue_pb2.UpsertPerformerRequest(performer=performer)
        return (await self.catalogue.UpsertPerformer(request)).performer.id


@asynccontextmanager
async def open_system(
    dsn: str, *, images: ImagesSection | None = None, pool_size: int = 8, **settings: object
) -> AsyncIterator[System]:
    """Migrate, serve three fakes and a gateway on free ports. `settings`: fields of the section [gateway]."""
    await migrate(dsn, SCHEMAS)
    face, tattoo, body = FakeFace(), FakeTattoo(), FakeBody()
    async with AsyncExitStack() as stack:
        served = {
            name: await stack.enter_async_context(serve(register))
            for name, register in {
                "face": partial(face_pb2_grpc.add_FaceServiceServicer_to_server, face),
                "tattoo": partial(tattoo_pb2_grpc.add_TattooServiceServicer_to_server, tattoo),
                "body": partial(body_pb2_grpc.add_BodyServiceServicer_to_server, body),
            }.items()
        }
        section = GatewaySection.model_validate(
            {
                "port": 0,
                "metrics_port": "off",
                "drain_seconds": 0,
                **{f"{name}_address": one.address for name, one in served.items()},
                **settings,
            }
        )
        config = GatewayConfig(
            gateway=section,
            database=DatabaseSection(dsn=dsn, pool_size=pool_size),
            images=images or ImagesSection(),
        )
        server = await stack.enter_async_context(open_gateway(config, today=lambda: TODAY))
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{server.port}"))
        yield System(dsn, server, channel, face, tattoo, body, served)


def picture(number: int = 0, *, width: int = 640, height: int = 480) -> bytes:
    """An image that differs by its number."""
    return encode(gradient(width + number, height))
