"""A line to a real PostgreSQL that a test can cut and mend, without touching the server others use."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

__all__ = ["DatabaseLine", "open_line"]


class DatabaseLine:
    """Passes bytes between a socket of its own and the server's; `dsn` is the way through it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
        name = f".s.PGSQL.{query['port'][0]}"
        self._target = Path(query["host"][0]) / name
        self._path = folder / name
        new_query = f"host={quote(str(folder), safe='')}&port={query['port'][0]}"
        self.dsn = urlunsplit(parts._replace(query=new_query))
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._calls: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_unix_server(self._on_call, self._path)

    async def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _on_call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            for one in (writer, far_writer):
                self._writers.discard(one)
                one.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def open_line(dsn: str) -> AsyncIterator[DatabaseLine]:
    """A line that is whole."""
    with tempfile.TemporaryDirectory(prefix="marquee-line-") as folder:
        line = DatabaseLine(dsn, Path(folder))
        await line.mend()
        try:
            yield line
        finally:
            await line.cut()
