"""A real gateway with real services on a real database, and a client: for transfers and calibrations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from chassis.config import DatabaseSection, InferenceSection
from chassis.postgres import SchemaSource, migrate
from client.api import Marquee
from gateway.config import GatewayConfig, GatewaySection
from gateway.serving import open_gateway
from marquee.body.v1 import body_pb2_grpc
from services.body.config import BodyConfig, BodySection
from services.body.serving import open_body
from services.face.config import FaceConfig, FaceSection
from services.face.serving import open_face
from services.tattoo.config import TattooConfig, TattooSection
from services.tattoo.serving import open_tattoo
from tests.fakes.gateway_system import TODAY
from tests.fakes.signals import FakeBody, serve
from tests.fakes.tattoo_service import plain_section

__all__ = ["TransferSystem", "migrate_transfer", "open_transfer_system", "transfer_settings"]

_SOURCES = (
    SchemaSource("catalogue", "gateway"),
    SchemaSource("face", "services.face"),
    SchemaSource("tattoo", "services.tattoo"),
    SchemaSource("body", "services.body"),
)


@dataclass(frozen=True, slots=True)
class TransferSystem:
    """The client, the database behind the server, and the server's address."""

    marquee: Marquee
    dsn: str
    address: str

    async def fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Run a statement past the services."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def value(self, statement: str, *values: object) -> Any:
        """The one value of a statement."""
        [row] = await self.fetch(statement, *values)
        return row[0]


async def migrate_transfer(dsn: str) -> None:
    """The tables that the system needs."""
    await migrate(dsn, _SOURCES)


def transfer_settings(**addresses: str) -> GatewaySection:
    """A gateway of these services on a free port."""
    return GatewaySection.model_validate({"port": 0, "metrics_port": "off", "drain_seconds": 0, **addresses})


@asynccontextmanager
async def open_transfer_system(
    dsn: str,
    folder: Path,
    *,
    face: FaceSection | None = None,
    tattoo: TattooSection | None = None,
    with_bodies: bool = False,
) -> AsyncIterator[TransferSystem]:
    """Migrate and serve. folder: for models of the tattoo service. with_bodies: else those are a fake's."""
    await migrate_transfer(dsn)
    database, inference = DatabaseSection(dsn=dsn), InferenceSection(threads=1)
    plain = {"port": 0, "metrics_port": None, "drain_seconds": 0}
    face_config = FaceConfig(
        database=database, inference=inference, face=(face or FaceSection()).model_copy(update=plain)
    )
    tattoo_config = TattooConfig(
        database=database,
        inference=inference,
        tattoo=(tattoo or plain_section(folder)).model_copy(update=plain),
    )
    async with AsyncExitStack() as stack:
        faces = await stack.enter_async_context(open_face(face_config))
        tattoos = await stack.enter_async_context(open_tattoo(tattoo_config))
        if with_bodies:
            body_config = BodyConfig(
                database=database, inference=inference, body=BodySection().model_copy(update=plain)
            )
            bodies = await stack.enter_async_context(open_body(body_config))
            body_address = f"127.0.0.1:{bodies.port}"
        else:
            add = partial(body_pb2_grpc.add_BodyServiceServicer_to_server, FakeBody())
            body_address = (await stack.enter_async_context(serve(add))).address
        section = transfer_settings(
            face_address=f"127.0.0.1:{faces.port}",
            tattoo_address=f"127.0.0.1:{tattoos.port}",
            body_address=body_address,
        )
        config = GatewayConfig(gateway=section, database=database)
        server = await stack.enter_async_context(open_gateway(config, today=lambda: TODAY))
        address = f"127.0.0.1:{server.port}"
        marquee = await stack.enter_async_context(Marquee.connect(address, timeout=60))
        yield TransferSystem(marquee, dsn, address)
