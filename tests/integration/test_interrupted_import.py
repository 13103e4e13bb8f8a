"""An import of 100,000 vectors whose client and whose face service are killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from tests.fakes.command_shell import ended, start_command
from tests.fakes.export_folder import export_folder
from tests.fakes.service_process import listening_port, open_process
from tests.fakes.transfer_system import migrate_transfer
from tests.fakes.waiting import until

_FACES, _PEOPLE = 100_000, 2_000


@dataclass(frozen=True)
class _Running:
    """Processes on one database."""

    dsn: str
    gateway: int
    """Port."""

    async def stored(self) -> int:
        connection = await asyncpg.connect(self.dsn)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM face.vectors"))
        finally:
            await connection.close()

    async def until_stored(self, least: int) -> None:
        async def are_stored() -> bool:
            return await self.stored() >= least

        await until(are_stored)


@asynccontextmanager
async def _face(dsn: str, port: int = 0) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    settings = {"MARQUEE_DATABASE_DSN": dsn, "MARQUEE_FACE_PORT": str(port), "MARQUEE_LOG_LEVEL": "info"}
    async with open_process("services.face", **settings) as process:
        found = await listening_port(process)
        reading = asyncio.create_task(_read(process))
        yield process, found
        reading.cancel()


@asynccontextmanager
async def _gateway(dsn: str, face: int) -> AsyncIterator[_Running]:
    settings = {
        "MARQUEE_DATABASE_DSN": dsn,
        "MARQUEE_GATEWAY_PORT": "0",
        "MARQUEE_GATEWAY_FACE_ADDRESS": f"127.0.0.1:{face}",
    }
    async with open_process("gateway", **settings) as process:
        port = await listening_port(process)
        reading = asyncio.create_task(_read(process))
        yield _Running(dsn, port)
        reading.cancel()


async def _read(process: asyncio.subprocess.Process) -> None:
    """Nothing is said into a full pipe."""
    assert process.stderr is not None
    async for _ in process.stderr:
        pass


@pytest.mark.timeout(600)
async def test_an_import_goes_on_after_everybody_was_killed(database: str, tmp_path: Path) -> None:
    """The client is killed, in the next run the face service: in the end everything is there, once."""
    folder = await asyncio.to_thread(export_folder, tmp_path / "export", faces=_FACES, people=_PEOPLE)
    await migrate_transfer(database)
    async with _face(database) as (face, port), _gateway(database, port) as running:
        arguments = ("import", str(folder), "--server", f"127.0.0.1:{running.gateway}")
        first = await start_command(*arguments)
        await running.until_stored(5_000)
        first.kill()
        await first.wait()
        assert 5_000 <= await running.stored() < _FACES
        second = await start_command(*arguments)
        waiting = asyncio.create_task(ended(second))
        await running.until_stored(await running.stored() + 10_000)
        face.kill()
        await face.wait()
        stored = await running.stored()
        assert stored < _FACES
        async with _face(database, port):
            done = await waiting
        assert done.code == 0, done.err
    assert "100,000" in done.out
    assert "not searchable: other.onnx is missing" in done.out
    connection = await asyncpg.connect(database)
    rows = await connection.fetchrow(
        "SELECT count(*), count(DISTINCT source), count(DISTINCT performer_id) FROM face.vectors"
    )
    assert rows is not None
    assert tuple(rows) == (_FACES, _FACES, _PEOPLE)
    assert await connection.fetchval("SELECT count(*) FROM catalogue.performers") == _PEOPLE
    await connection.close()
