"""One branch of a fan-out: it always comes back, with a value or with the reason why not."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from chassis.deadline import Deadline, current_deadline
from chassis.errors import DeadlineExceeded, InvalidInput, MarqueeError, NotFound, Overloaded, Unavailable
from gateway.observations import Signal

__all__ = ["Branch", "attempt", "time_for", "describe", "restated"]

_log = structlog.get_logger()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Branch(Generic[_T]):
    """What one signal answered (`value`), or why it did not (`error`), and after how many milliseconds."""

    signal: Signal
    value: _T | None
    error: MarqueeError | None
    milliseconds: float


async def attempt(signal: Signal, call: Awaitable[_T]) -> Branch[_T]:
    """Wait for one signal's answer; an error that Marquee knows is a result, so that siblings go on.

    Cancellation and errors that nobody planned pass.
    """
    started = time.monotonic()
    try:
        value = await call
    except MarqueeError as exc:
        _report(signal, exc)
        return Branch(signal, None, exc, _since(started))
    return Branch(signal, value, None, _since(started))


def time_for(
    seconds: float, *, reserve: float, share: float = 1.0, deadline: Deadline | None = None
) -> float:
    """Seconds a callee may take: `seconds`, or if less, this share of what the caller left after the reserve.

    `deadline`: the current call's unless given. At least 1 ms, so that a callee always learns that it is
    late.
    """
    deadline = deadline or current_deadline()
    if deadline is None:
        return seconds
    return max(0.001, min(seconds, share * (deadline.remaining() - reserve)))


def describe(error: MarqueeError) -> str:
    """Why a signal is missing, for the gateway's caller: no address, no text of another process."""
    if isinstance(error, DeadlineExceeded):
        return "did not answer in time"
    if isinstance(error, Overloaded):
        return "is overloaded"
    if isinstance(error, NotFound):
        return "knows no such performer"
    if isinstance(error, InvalidInput):
        return "refused the request"
    return "could not be reached, or failed"


def restated(branch: Branch[Any]) -> MarqueeError:
    """The branch's error in our own words, for the gateway's caller. The branch must have failed."""
    error = branch.error or Unavailable("no answer")
    return type(error)(f"{branch.signal.label} {describe(error)}")


def _report(signal: Signal, error: MarqueeError) -> None:
    # A refused request is somebody's mistake, mostly the caller's; anything else the owner wants to know.
    log = _log.info if isinstance(error, InvalidInput | NotFound) else _log.warning
    log("signal did not answer", signal=signal.label, error=type(error).__name__, text=str(error))


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1e3
