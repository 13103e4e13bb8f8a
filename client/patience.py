"""Patience with a server that is busy, starts again or ends a long stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from chassis.errors import DeadlineExceeded, Overloaded, Unavailable
from client.api import Marquee
from client.system import SystemStatus

__all__ = ["BUSY", "TEMPORARY", "GONE", "PICTURES_PER_STREAM", "until_back", "chunks"]

BUSY = (Overloaded, DeadlineExceeded)
"""Errors of a server that is there and has too much to do."""
TEMPORARY = (Unavailable, *BUSY)
"""Errors that another try may cure."""
GONE = "the server went away or is overloaded; repeat the command to go on where it stopped"
PICTURES_PER_STREAM = 64
"""Servers end a connection after some minutes to spread load; a stream must be done by then."""

_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.5
_Item = TypeVar("_Item")


async def until_back(marquee: Marquee, is_back: Callable[[SystemStatus], bool] = lambda seen: True) -> None:
    """Wait for the server to answer again, and say what is wanted, for so long as starting again takes it.

    Raises Unavailable, Overloaded or DeadlineExceeded.
    """
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            if is_back(await marquee.status()):
                return
            raise Unavailable(GONE)
        except TEMPORARY:
            if asyncio.get_running_loop().time() > deadline:
                raise


def chunks(items: Sequence[_Item], size: int) -> list[Sequence[_Item]]:
    """The items in their order, `size` at a time."""
    return [items[start : start + size] for start in range(0, len(items), size)]
