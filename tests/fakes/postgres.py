"""A real PostgreSQL for tests: one server in a temporary folder, a fresh database for each test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import pytest_asyncio

from chassis.postgres.embedded import EmbeddedPostgres

__all__ = ["database", "embedded_server", "fresh_database", "open_folder", "postgres_server"]

FAST_SETTINGS = {"fsync": "off", "full_page_writes": "off"}
"""For tests that kill processes but do not cut the power."""

_MEMORY = Path("/dev/shm")
_ROOM = 2**30


@contextmanager
def open_folder(*, in_memory: bool = True) -> Iterator[Path]:
    """Give a temporary folder that PostgreSQL's user can enter: pytest's tmp_path is closed to others.

    One for data lies in memory where there is room; one for programs may not, as /dev/shm is often noexec.
    """
    is_roomy = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    folder = Path(tempfile.mkdtemp(prefix="marquee-test-", dir=_MEMORY if in_memory and is_roomy else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def embedded_server() -> AsyncIterator[EmbeddedPostgres]:
    """Run a server with an empty database, in about a second; nothing of it stays."""
    with open_folder() as folder, open_folder(in_memory=False) as runtime:
        server = EmbeddedPostgres(folder / "database", runtime_directory=runtime, settings=FAST_SETTINGS)
        async with server:
            yield server


@asynccontextmanager
async def fresh_database(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """Make an empty database on `server`, give its DSN, and drop it whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    await _execute(server, f"CREATE DATABASE {name}")
    try:
        yield server.dsn_of(name)
    finally:
        await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(server: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn, timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_server() -> AsyncIterator[EmbeddedPostgres]:
    """A server shared by the whole run."""
    async with embedded_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The DSN of an empty database for one test."""
    async with fresh_database(postgres_server) as dsn:
        yield dsn
