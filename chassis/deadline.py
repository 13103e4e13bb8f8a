"""A deadline as a value: made once at the edge, handed on hop by hop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Deadline", "current_deadline", "deadline_scope"]

# What is kept back of a caller's time to report that it ran out, seconds.
RESERVE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, seconds."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The moment `seconds` from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, 0 when over."""
        return max(0.0, self.at - time.monotonic())

    def earlier_of(self, seconds: float | None) -> float:
        """Seconds a callee may take: the less of its own limit and what is left; at least 1 ms."""
        left = max(0.001, self.remaining() - RESERVE_SECONDS)
        return left if seconds is None else min(left, seconds)


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline | None:
    """The deadline of the call being served; None outside one."""
    return _current.get()


@contextmanager
def deadline_scope(deadline: Deadline | None) -> Iterator[None]:
    """Make `deadline` the current one inside the block."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)
