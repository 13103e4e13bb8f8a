"""Runs the `marquee` command as a process, against a gateway in memory."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.fakes.gateway_server import WHITE, Color, FakeGateway
from tests.fakes.pictures import encode

__all__ = ["Done", "Shell", "start_command", "ended", "RED", "BLUE"]

RED: Color = (200, 20, 20)
BLUE: Color = (20, 20, 200)


@dataclass(frozen=True)
class Done:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """Runs the command with a server of its own and an empty data folder."""

    address: str
    folder: Path
    fake: FakeGateway

    async def marquee(self, *arguments: str | Path, stdin: bytes = b"", with_server: bool = True) -> Done:
        """Run it to its end."""
        where = ("--server", self.address) if with_server else ()
        return await ended(await self.start(*arguments, *where), stdin)

    async def start(self, *arguments: str | Path) -> asyncio.subprocess.Process:
        """Start it, without naming the server."""
        return await start_command(*arguments, MARQUEE_DATA=str(self.folder / "data"))

    def picture(self, path: str, color: Color, *, size: int = 64) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(np.full((size, size, 3), color, np.uint8)))
        return file

    def oversized(self, path: str) -> Path:
        """A file of 41 MB, more than one message may have; it takes no room on disk."""
        file = self.folder / path
        with file.open("wb") as opened:
            opened.truncate(41 * 2**20)
        return file

    def gallery(self) -> Path:
        """Ann with a crowd before her portrait, and Ben."""
        self.picture("gallery/Ann_Lee/1_crowd.png", WHITE)
        self.picture("gallery/Ann_Lee/2_portrait.png", RED)
        self.picture("gallery/Ben/1.png", BLUE)
        return self.folder / "gallery"


async def start_command(*arguments: str | Path, **environment: str) -> asyncio.subprocess.Process:
    """Start `marquee` with these arguments."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "client", *map(str, arguments)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


async def ended(process: asyncio.subprocess.Process, stdin: bytes = b"") -> Done:
    """Wait for the end of a command."""
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())
