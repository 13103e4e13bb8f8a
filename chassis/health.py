"""Readiness: whether all that a process needs is usable now. Liveness is that the process answers at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog

from chassis.errors import MarqueeError

__all__ = ["Check", "Readiness"]

Check = Callable[[], Awaitable[None]]

_log = structlog.get_logger()


class Readiness:
    """Runs each check every few seconds; not ready while one raises MarqueeError or takes too long.

    `checks` maps the name of a resource to a coroutine that raises when the resource cannot be used.
    """

    def __init__(
        self, checks: Mapping[str, Check], *, interval_seconds: float = 2.0, timeout_seconds: float = 2.0
    ) -> None:
        self._checks = dict(checks)
        self._interval = interval_seconds
        self._timeout = timeout_seconds
        self._reason = "starting"
        self._listeners: list[Callable[[bool], Awaitable[None]]] = []

    def __repr__(self) -> str:
        return f"Readiness({self._reason or 'ready'})"

    @property
    def is_ready(self) -> bool:
        return not self._reason

    @property
    def reason(self) -> str:
        """Why not, in words; empty when ready."""
        return self._reason

    def on_change(self, listener: Callable[[bool], Awaitable[None]]) -> None:
        """Call `listener` with the new state at each transition."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Check once before the block, then on and on until it ends."""
        await self.check()
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def check(self) -> None:
        """Run every check now and tell the listeners if the answer changed."""
        problems = [problem for name in self._checks if (problem := await self._problem(name))]
        await self._become("; ".join(problems))

    async def stop(self) -> None:
        """Not ready from now on: the process drains."""
        self._checks = {"server": _draining}
        await self._become("stopping")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self.check()

    async def _problem(self, name: str) -> str:
        try:
            await asyncio.wait_for(self._checks[name](), self._timeout)
        except MarqueeError as exc:
            return f"{name}: {exc}"
        except TimeoutError:
            return f"{name}: no answer within {self._timeout:g} s"
        except Exception:  # whatever it is: the checks go on, or the last answer would stand for ever
            _log.exception("a readiness check failed", check=name)
            return f"{name}: the check failed"
        return ""

    async def _become(self, reason: str) -> None:
        was_ready, self._reason = self.is_ready, reason
        if was_ready == self.is_ready:
            return
        _log.info("ready" if self.is_ready else "not ready", reason=reason or None)
        for listener in self._listeners:
            await listener(self.is_ready)


async def _draining() -> None:
    raise MarqueeError("stopping")
