"""Face services on one database, each with its own index files, that can be killed and started again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from chassis.channels import open_channel
from client.supervisor.parts import Part, free_ports
from client.supervisor.process import ServiceProcess
from marquee.face.v1 import face_pb2, face_pb2_grpc

__all__ = ["Replica", "running_replicas"]

_FACE = Part("face", "services.face")
_START_SECONDS = 120.0
_POLL_SECONDS = 0.05


@dataclass
class Replica:
    """One service."""

    process: ServiceProcess
    stub: face_pb2_grpc.FaceServiceAsyncStub
    is_up: bool = False
    kills: int = 0
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """Return when it is ready."""
        await self.process.start()
        async with asyncio.timeout(_START_SECONDS):
            while not await self._is_ready():
                if self.process.has_ended:
                    raise RuntimeError(f"a replica does not start: {self.process.complaint()}")
                await asyncio.sleep(_POLL_SECONDS)
        self.is_up = True

    async def kill(self) -> None:
        """End it as a crash does."""
        self.is_up = False
        self.kills += 1
        self.process.kill()
        await self.process.wait()

    async def _is_ready(self) -> bool:
        try:
            reply = await self.stub.GetStatus(face_pb2.GetStatusRequest(), timeout=5)
        except grpc.aio.AioRpcError:
            return False
        return reply.status.is_ready


@asynccontextmanager
async def running_replicas(count: int, dsn: str, folder: Path) -> AsyncIterator[list[Replica]]:
    """So many, all ready; they end with the block."""
    async with AsyncExitStack() as stack:
        replicas = []
        for number, port in enumerate(free_ports(count)):
            address = f"127.0.0.1:{port}"
            process = ServiceProcess(
                _FACE,
                address=address,
                environment=_environment(dsn, port, folder / f"indexes-{number}"),
                log=folder / f"replica-{number}.log",
            )
            stack.push_async_callback(process.stop, patience=10)
            channel = await stack.enter_async_context(open_channel(address))
            replicas.append(Replica(process, face_pb2_grpc.FaceServiceStub(channel)))
        await asyncio.gather(*(one.start() for one in replicas))
        yield replicas


def _environment(dsn: str, port: int, directory: Path) -> dict[str, str]:
    return {
        **os.environ,
        "MARQUEE_DATABASE_DSN": dsn,
        "MARQUEE_DATABASE_POOL_SIZE": "4",
        "MARQUEE_FACE_PORT": str(port),
        "MARQUEE_FACE_METRICS_PORT": "off",
        "MARQUEE_FACE_SWITCH_COVERAGE": "0",
        "MARQUEE_INDEX_DIRECTORY": str(directory),
        "MARQUEE_INDEX_SNAPSHOT_SECONDS": "5",
    }
