"""A web server of raw sockets, so that it can misbehave as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

__all__ = ["Web", "Asked", "Answer", "serve_web", "reply", "redirect", "dripping", "endless"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request; header names are lower case."""

    path: str
    headers: Mapping[str, str]


Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Writes a whole response."""


@dataclass
class Web:
    """What the server answers, by path, and what it was asked."""

    host: str
    port: int = 0
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """The last one of a path stays."""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "", *, host: str = "") -> str:
        where = host or self.host
        return f"http://{f'[{where}]' if ':' in where else where}:{self.port}{path}"

    def put(self, path: str, *answers: Answer) -> str:
        """Answer a path so, one after the other; gives its URL."""
        self.answers[path] = list(answers)
        return self.url(path)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(await reader.readuntil(b"\r\n\r\n"), writer)
        finally:
            writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if line)
        path = first.split(" ")[1]
        self.asked.append(Asked(path, {name.lower(): value for name, value in headers.items()}))
        answers = self.answers.get(path, [reply(404)])
        await (answers.pop(0) if len(answers) > 1 else answers[0])(writer)


def reply(status: int, body: bytes = b"", **headers: str) -> Answer:
    """A whole response; `Content_Type="image/png"` is a header."""
    named = {"Content_Type": "image/jpeg", "Content_Length": str(len(body)), **headers}

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(status, named) + body)
        await writer.drain()

    return write


def redirect(to: str, status: int = 302) -> Answer:
    return reply(status, Location=to)


def dripping(body: bytes, *, seconds: float) -> Answer:
    """A byte now and then, for ever after the last one."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Content_Type": "image/jpeg"}))
        for number in range(10**6):
            writer.write(body[number : number + 1] or b"\0")
            await writer.drain()
            await asyncio.sleep(seconds)

    return write


def endless(start: bytes = b"", **headers: str) -> Answer:
    """A body that never ends, as fast as it is taken."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, {"Content_Type": "image/jpeg", **headers}) + start)
        while True:
            writer.write(b"\0" * 65536)
            await writer.drain()

    return write


@asynccontextmanager
async def serve_web(host: str = "127.0.0.1", *, port: int = 0) -> AsyncIterator[Web]:
    """A server on an address of its own; raises OSError where the machine has no such address."""
    web = Web(host)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):
            await web.handle(reader, writer)

    server = await asyncio.start_server(handle, host, port)
    web.port = server.sockets[0].getsockname()[1]
    try:
        yield web
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\nConnection: close\r\n{lines}\r\n".encode()
