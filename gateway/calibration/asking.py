"""A call to a signal without which there is nothing to calibrate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.errors import DeadlineExceeded, InternalError, Overloaded, Refused, Unavailable
from gateway.fan_out import attempt, describe
from gateway.observations import Signal

__all__ = ["asked"]

_T = TypeVar("_T")
# Between tries of a signal that has as much work as it takes: what was measured until then is worth a wait.
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)


async def asked(signal: Signal, call: Callable[[], Awaitable[_T]]) -> _T:
    """The answer; a signal that is overloaded is asked again for a quarter of a minute.

    Raises Unavailable, DeadlineExceeded or Overloaded naming the signal, Refused where other models serve
    than when it began, InternalError where it does not understand us.
    """
    branch = await attempt(signal, call())
    for pause in _PAUSES:
        if not isinstance(branch.error, Overloaded):
            break
        await asyncio.sleep(pause)
        branch = await attempt(signal, call())
    if branch.error is None:
        return branch.value  # type: ignore[return-value]  # a call may answer None
    if isinstance(branch.error, Refused):
        raise Refused(f"{signal.label}: its models changed meanwhile; calibrate again")
    words = f"{signal.label} {describe(branch.error)}; nothing was stored for it"
    for kind in (Unavailable, DeadlineExceeded, Overloaded):
        if isinstance(branch.error, kind):
            raise kind(words)
    raise InternalError(words) from branch.error
