"""The gateway as a process: how it starts, refuses to start, stops, and outlives its database."""

from __future__ import annotations

import asyncio
import os
import signal

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.channels import open_channel
from chassis.postgres import SchemaSource, migrate
from gateway.observations import Candidate
from marquee.gateway.v1 import catalogue_pb2, identification_pb2, status_pb2, status_pb2_grpc
from tests.fakes.gateway_system import open_system, picture
from tests.fakes.postgres import database, embedded_server, fresh_database, postgres_server
from tests.fakes.scenes import face_at
from tests.fakes.service_process import failure_of, listening_port, open_process

__all__ = ["database", "postgres_server"]

_SERVING = health_pb2.HealthCheckResponse.SERVING
_SERVICES = ("IdentificationService", "CatalogueService", "StatusService", "BackfillService")


async def test_it_serves_until_it_is_stopped(database: str) -> None:
    """Ready with a migrated database and no signal at all; SIGTERM ends it well; its port is its own."""
    await migrate(database, [SchemaSource("catalogue", "gateway")])
    settings = {"MARQUEE_DATABASE_DSN": database, "MARQUEE_GATEWAY_PORT": "0", "MARQUEE_LOG_FORMAT": "json"}
    async with open_process("gateway", **settings) as process:
        port = await listening_port(process)
        async with open_channel(f"127.0.0.1:{port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for name in _SERVICES:
                request = health_pb2.HealthCheckRequest(service=f"marquee.gateway.v1.{name}")
                assert (await health.Check(request, timeout=10)).status == _SERVING
            status = await status_pb2_grpc.StatusServiceStub(channel).GetStatus(
                status_pb2.GetStatusRequest(), timeout=10
            )
            assert status.gateway.is_ready
        code, text = await failure_of("gateway", **{**settings, "MARQUEE_GATEWAY_PORT": str(port)})
        assert (code, f"cannot listen on 127.0.0.1:{port}" in text) == (2, True)
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 30)
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({}, "database.dsn"),
        ({"MARQUEE_DATABASE_DSN": "postgresql://x", "MARQUEE_GATEWAY_CANDIDATES": "0"}, "gateway.candidates"),
        ({"MARQUEE_DATABASE_DSN": "postgresql://x", "MARQUEE_GATEWAY_FACES": "1"}, "gateway.faces"),
    ],
)
async def test_wrong_settings_are_one_clear_line(settings: dict[str, str], word: str) -> None:
    """Exit code 2 and the field's name, no traceback."""
    code, text = await failure_of("gateway", **settings)
    assert code == 2
    assert word in text
    assert "Traceback" not in text


async def test_an_older_schema_is_refused(database: str) -> None:
    """Without migrations the process does not start, and says what to do."""
    code, text = await failure_of("gateway", MARQUEE_DATABASE_DSN=database, MARQUEE_GATEWAY_PORT="0")
    assert code == 2
    assert "run `marquee migrate`" in text


async def test_a_database_that_is_killed_comes_back_with_everything() -> None:
    """While it is away, UNAVAILABLE; after its restart the same performers and the same answers."""
    async with embedded_server() as server, fresh_database(server) as dsn, open_system(dsn) as system:
        anna = await system.performer("Anna")
        system.face.seen = [face_at(300, 100, found=(Candidate(anna, 0.9, 0.9),))]

        async def identify() -> list[str]:
            request = identification_pb2.IdentifyRequest(image=picture())
            response = await system.identification.Identify(request, timeout=20)
            return [one.name for one in response.people[0].candidates]

        assert await identify() == ["Anna"]
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        codes = set()
        async with asyncio.timeout(60):
            while True:
                try:
                    assert await identify() == ["Anna"]
                    if server.restarts:
                        break
                except grpc.aio.AioRpcError as exc:
                    codes.add(exc.code())
        assert codes <= {grpc.StatusCode.UNAVAILABLE}
        request = catalogue_pb2.ListPerformersRequest()
        assert (await system.catalogue.ListPerformers(request)).total == 1
