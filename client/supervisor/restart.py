"""Starting a service again when it ends by itself, more and more patiently."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chassis.errors import MarqueeError
from client.supervisor.process import ServiceProcess
from client.supervisor.readiness import wait_until_ready

__all__ = ["keep_running", "Backoff"]

_KILL_PATIENCE = 5.0


class Backoff:
    """Pauses that double from 0.5 to 30 seconds; a run of a minute or more starts over."""

    def __init__(self, *, first: float = 0.5, longest: float = 30.0, steady: float = 60.0) -> None:
        self._first = first
        self._longest = longest
        self._steady = steady
        self._next = first

    def __repr__(self) -> str:
        return f"Backoff(next={self._next:g} s)"

    def after_run_of(self, seconds: float) -> float:
        """The pause, seconds, after a run of this many seconds."""
        if seconds >= self._steady:
            self._next = self._first
        pause = self._next
        self._next = min(self._longest, 2 * pause)
        return pause


async def keep_running(
    process: ServiceProcess, *, ready_timeout: float, report: Callable[[str], None]
) -> None:
    """Start the service again whenever it ends; runs until it is cancelled."""
    loop = asyncio.get_running_loop()
    backoff = Backoff()
    while True:
        started = loop.time()
        how = await process.wait()
        pause = backoff.after_run_of(loop.time() - started)
        report(f"{process.part.name} ended ({how}); starting it again in {pause:g} s")
        await asyncio.sleep(pause)
        await _start_again(process, ready_timeout=ready_timeout, report=report)


async def _start_again(
    process: ServiceProcess, *, ready_timeout: float, report: Callable[[str], None]
) -> None:
    try:
        process.kill()  # what the dead one may have left in its group
        await process.start()
        await wait_until_ready(process, timeout=ready_timeout)
    except (MarqueeError, OSError) as exc:  # such as a full disk, where its log cannot be written
        report(str(exc))
        await process.stop(patience=_KILL_PATIENCE)
    else:
        report(f"{process.part.name} is ready again")
