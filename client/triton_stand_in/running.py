"""The stand-in for the time of a block: installed, fed with the built models, started again when it dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.errors import ModelError
from chassis.models import ModelStore, discover_specs
from chassis.models.repository import assemble
from client.supervisor.restart import keep_running
from client.triton_stand_in.environment import ensure_environment
from client.triton_stand_in.server import TritonPorts, TritonProcess, running_triton
from client.triton_stand_in.watch import restart_when_stubs_die

__all__ = ["open_stand_in"]


@asynccontextmanager
async def open_stand_in(
    repository: Path,
    store: ModelStore,
    *,
    log: Path,
    ports: TritonPorts,
    ready_timeout: float,
    report: Callable[[str], None],
) -> AsyncIterator[TritonProcess]:
    """A Triton that serves the built models from `repository`, which is brought up to date first.

    Raises Unavailable when the stand-in cannot be installed or does not start, DeadlineExceeded when it is
    not ready in time, ModelError when nothing is built.
    """
    environment = await asyncio.to_thread(ensure_environment, report=report)
    if not await asyncio.to_thread(assemble, repository, store, discover_specs()):
        raise ModelError("no model is built: run `marquee models build`")
    report("starting Triton (the stand-in for NVIDIA's container)")
    process = TritonProcess(environment, repository, log=log, ports=ports)
    async with running_triton(process, ready_timeout=ready_timeout):
        tasks = [
            asyncio.create_task(keep_running(process, ready_timeout=ready_timeout, report=report)),
            asyncio.create_task(restart_when_stubs_die(process, report=report)),
        ]
        try:
            yield process
        finally:
            for task in tasks:
                task.cancel()
            # A restart that is under way ends its child before the server is stopped for good.
            await asyncio.gather(*tasks, return_exceptions=True)
