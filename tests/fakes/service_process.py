"""A part of Marquee as a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["open_process", "said", "listening_port", "logged_number", "failure_of"]

_SECONDS = 60


@asynccontextmanager
async def open_process(module: str, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m MODULE` with nothing but these settings; killed if it is still there in the end.

    It serves no metrics unless the settings say so.
    """
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("MARQUEE_")}
    section = module.rpartition(".")[2].upper()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env={
            **surroundings,
            "XDG_CONFIG_HOME": "/nonexistent",
            f"MARQUEE_{section}_METRICS_PORT": "off",
            **settings,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process, words: str) -> str:
    """The first line of the log with these words."""
    assert process.stderr is not None
    async with asyncio.timeout(_SECONDS):
        async for line in process.stderr:
            if words in line.decode():
                return line.decode()
    raise AssertionError(f"the process never said {words!r}")


async def listening_port(process: asyncio.subprocess.Process) -> int:
    """The port on which it says that it listens."""
    return await logged_number(process, "listening", "port")


async def logged_number(process: asyncio.subprocess.Process, words: str, name: str) -> int:
    """A number of the first line of the log with these words, in either form of the log."""
    line = await said(process, words)
    found = re.search(rf"\b{name}\W+(\d+)", re.sub(r"\x1b\[\d+m", "", line))
    assert found is not None, line
    return int(found[1])


async def failure_of(module: str, **settings: str) -> tuple[int | None, str]:
    """Exit code and what was written to stderr by a process that ends by itself."""
    async with open_process(module, **settings) as process:
        _, stderr = await asyncio.wait_for(process.communicate(), _SECONDS)
        return process.returncode, stderr.decode()
