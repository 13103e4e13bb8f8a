"""kill -9 in the middle of enrolling tattoos and bodies; test_face_policy has the same for faces."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import grpc
import numpy as np
import pytest

from chassis.channels import open_channel
from chassis.postgres import SchemaSource, migrate
from marquee.body.v1 import body_pb2, body_pb2_grpc
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2, tattoo_pb2_grpc
from services.tattoo.table import built_in_embedder
from tests.fakes import body_service, tattoo_service
from tests.fakes.postgres import database, postgres_server
from tests.fakes.service_process import listening_port, open_process

__all__ = ["database", "postgres_server"]

_CATALOGUE = SchemaSource("catalogue", "gateway")
_DELAYS = (0.02, 0.05, 0.1)
_REGIONS = (
    common_pb2.BODY_REGION_LEFT_FOREARM,
    common_pb2.BODY_REGION_NECK,
    common_pb2.BODY_REGION_CHEST,
)


@dataclass(frozen=True)
class _Kind:
    """A signal: its stub, one Enroll for each of its observations, and all that it leaves of a performer."""

    name: str
    stub: Callable[[grpc.aio.Channel], Any]
    requests: Callable[[str], Sequence[Any]]
    left: str


def _tattoos(performer_id: str) -> list[tattoo_pb2.EnrollRequest]:
    """Three tattoos in four pictures each, in other regions."""
    row = built_in_embedder()
    return [
        tattoo_pb2.EnrollRequest(
            performer_id=performer_id,
            observations=[
                tattoo_service.enrolment(
                    tattoo_service.template_of(
                        np.eye(row.dimension, dtype=np.float32)[design], model=row.name, version=row.version
                    ),
                    image=f"{design} {view}",
                    date=f"2020-01-{1 + view:02}",
                    region=region,
                )
            ],
        )
        for design, region in enumerate(_REGIONS)
        for view in range(4)
    ]


def _bodies(performer_id: str) -> list[body_pb2.EnrollRequest]:
    """Twelve photographs of a body, each measured a little otherwise."""
    return [
        body_pb2.EnrollRequest(
            performer_id=performer_id,
            observations=[body_service.enrolment(body_service.template_of(0.1 * number), image=str(number))],
        )
        for number in range(12)
    ]


_KINDS = (
    _Kind(
        "tattoo",
        tattoo_pb2_grpc.TattooServiceStub,
        _tattoos,
        """
        SELECT t.image_hash, t.body_region, t.first_seen_date,
            (SELECT array_agg(o.image_hash ORDER BY o.image_hash) FROM tattoo.performer_tattoos o
             WHERE o.tattoo_id = t.tattoo_id)::text,
            (SELECT array_agg(k.body_region || k.since ORDER BY k.body_region) FROM tattoo.region_knowledge k
             WHERE k.performer_id = t.performer_id)::text
        FROM tattoo.performer_tattoos t WHERE t.performer_id = $1 ORDER BY t.image_hash
        """,
    ),
    _Kind(
        "body",
        body_pb2_grpc.BodyServiceStub,
        _bodies,
        """
        SELECT m.image_hash, m.vector, p.body_ratios
        FROM body.measurements m JOIN catalogue.performers p ON p.id = m.performer_id
        WHERE m.performer_id = $1 ORDER BY m.image_hash
        """,
    ),
)


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.name)
async def test_killed_and_repeated_an_enrolment_ends_like_one_that_was_not(
    database: str, kind: _Kind
) -> None:
    """Three times in the middle; then all of it again: nothing tells it from one in peace."""
    await migrate(
        database, [SchemaSource("catalogue", "gateway"), SchemaSource(kind.name, f"services.{kind.name}")]
    )
    killed, peaceful = await _performer(database), await _performer(database)
    for delay in _DELAYS:
        async with _served(database, kind) as (process, stub):
            calls = [asyncio.ensure_future(_ended(stub.Enroll(one))) for one in kind.requests(killed)]
            await asyncio.sleep(delay)
            process.kill()
            await asyncio.gather(*calls)
    async with _served(database, kind) as (_, stub):
        for performer in (killed, peaceful):
            for request in kind.requests(performer):
                [outcome] = (await stub.Enroll(request, timeout=60)).outcomes
                assert performer == killed or outcome.is_accepted
    left = [await _left(database, kind, performer) for performer in (killed, peaceful)]
    assert len(left[1]) == 12
    assert left[0] == left[1]


@asynccontextmanager
async def _served(dsn: str, kind: _Kind) -> AsyncIterator[tuple[asyncio.subprocess.Process, Any]]:
    """A process of its own."""
    settings = {"MARQUEE_DATABASE_DSN": dsn, f"MARQUEE_{kind.name.upper()}_PORT": "0"}
    async with (
        open_process(f"services.{kind.name}", **settings) as process,
        open_channel(f"127.0.0.1:{await listening_port(process)}") as channel,
    ):
        yield process, kind.stub(channel)


async def _performer(dsn: str) -> str:
    performer_id = str(uuid.uuid4())
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')",
            performer_id,
        )
    finally:
        await connection.close()
    return performer_id


async def _left(dsn: str, kind: _Kind, performer_id: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(kind.left, performer_id)]
    finally:
        await connection.close()


async def _ended(call: Any) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError):  # the process is gone
        await call
