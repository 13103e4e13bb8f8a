"""Calls without which there is nothing to calibrate: to a signal, and to a thread of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.errors import (
    DeadlineExceeded,
    InternalError,
    MarqueeError,
    Overloaded,
    Refused,
    Unavailable,
    Unsupported,
)
from chassis.work import WorkPool
from gateway.fan_out import Branch, attempt, describe
from gateway.observations import Signal

__all__ = ["NOTHING_STORED", "asked", "computed", "failure", "tried"]

NOTHING_STORED = "nothing was stored"
"""What is true until everything is measured."""

_T = TypeVar("_T")
# Between tries of a signal that has as much work as it takes: what was measured until then is worth a wait.
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)


async def asked(signal: Signal, call: Callable[[], Awaitable[_T]]) -> _T:
    """The answer to a call of before anything is stored, as `tried` gets it; raises as `failure` says."""
    branch = await tried(signal, call)
    if branch.error is not None:
        raise failure(signal, branch.error, NOTHING_STORED) from branch.error
    return branch.value  # type: ignore[return-value]  # a call may answer None


async def tried(signal: Signal, call: Callable[[], Awaitable[_T]]) -> Branch[_T]:
    """The answer or what came instead; a signal that is overloaded is asked for a quarter of a minute."""
    branch = await attempt(signal, call())
    for pause in _PAUSES:
        if not isinstance(branch.error, Overloaded):
            break
        await asyncio.sleep(pause)
        branch = await attempt(signal, call())
    return branch


async def computed(work: WorkPool, call: Callable[[], _T]) -> _T:
    """What a thread of the pool finds; where too many wait for one, it is tried again, as with a signal.

    Raises Overloaded, and what `call` raises.
    """
    for pause in _PAUSES:
        try:
            return await work.run(call)
        except Overloaded:
            await asyncio.sleep(pause)
    return await work.run(call)


def failure(signal: Signal, error: MarqueeError, stored: str) -> MarqueeError:
    """What the caller is told of an error of this signal, and of what is stored.

    Unavailable, DeadlineExceeded or Overloaded naming the signal, Refused where other models serve than when
    it began, Unsupported where its service is older than calibrations, InternalError where it does not
    understand us.
    """
    if isinstance(error, Unsupported):
        return Unsupported(f"{signal.label}: its service is of a version that cannot be calibrated; {stored}")
    if isinstance(error, Refused):
        return Refused(f"{signal.label}: its models changed meanwhile; {stored}; calibrate again")
    words = f"{signal.label} {describe(error)}; {stored}"
    for kind in (Unavailable, DeadlineExceeded, Overloaded):
        if isinstance(error, kind):
            return kind(words)
    return InternalError(words)
