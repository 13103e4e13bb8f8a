"""Waiting for what another process does in its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["until"]

_SECONDS = 120
_POLL_SECONDS = 0.05


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again until the answer is yes; fails when it has not been for two minutes."""
    deadline = asyncio.get_running_loop().time() + _SECONDS
    while not await question():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(_POLL_SECONDS)
