"""The stand-in's tritonserver as a child process, watched, with nothing left behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from client.supervisor.parts import Part, free_ports
from client.supervisor.process import ServiceProcess
from client.supervisor.readiness import wait_until_ready
from client.triton_stand_in.environment import StandInEnvironment
from client.triton_stand_in.shared_memory import drop_leftovers, drop_regions, region_prefix

__all__ = ["TritonPorts", "TritonProcess", "running_triton", "POLLING", "EXPLICIT"]

POLLING = ("--model-control-mode=poll", "--repository-poll-secs=2")
"""New versions in the repository are loaded by themselves."""
EXPLICIT = ("--model-control-mode=explicit", "--load-model=*")
"""Models are loaded and unloaded by calls."""

_HOST = "127.0.0.1"
_EXIT_SECONDS = 5
_STOP_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class TritonPorts:
    """Ports on the loopback; Triton's own defaults."""

    grpc: int = 8001
    http: int = 8000
    metrics: int = 8002

    @classmethod
    def ephemeral(cls) -> TritonPorts:
        """Any that are free now."""
        return cls(*free_ports(3))


class TritonProcess(ServiceProcess):
    """A tritonserver that serves a repository with the stand-in's backend."""

    def __init__(
        self,
        environment: StandInEnvironment,
        repository: Path,
        *,
        log: Path,
        ports: TritonPorts,
        options: Sequence[str] = POLLING,
    ) -> None:
        self._prefix = region_prefix(ports.grpc)
        super().__init__(
            Part("triton", ""),
            address=f"{_HOST}:{ports.grpc}",
            environment=environment.variables(),
            log=log,
            command=[*_command(environment, repository, ports, self._prefix), *options],
        )

    async def start(self) -> None:
        drop_leftovers()
        await super().start()

    async def stop(self, *, patience: float) -> None:
        await super().stop(patience=patience)
        drop_regions(self._prefix)

    def kill(self) -> None:
        super().kill()
        drop_regions(self._prefix)


@asynccontextmanager
async def running_triton(process: TritonProcess, *, ready_timeout: float) -> AsyncIterator[TritonProcess]:
    """The server, ready, for the time of the block; afterwards neither process nor shared memory is left.

    Raises Unavailable when it ends before it is ready, DeadlineExceeded when it is not ready in time: without
    its libraries it would load for ever.
    """
    try:
        await process.start()
        await wait_until_ready(process, timeout=ready_timeout)
        yield process
    finally:
        await asyncio.shield(process.stop(patience=_STOP_PATIENCE_SECONDS))


def _command(environment: StandInEnvironment, repository: Path, ports: TritonPorts, prefix: str) -> list[str]:
    return [
        os.fspath(environment.server),
        f"--model-repository={repository}",
        f"--backend-directory={environment.backends}",
        *(f"--{name}-address={_HOST}" for name in ("grpc", "http", "metrics")),
        f"--grpc-port={ports.grpc}",
        f"--http-port={ports.http}",
        f"--metrics-port={ports.metrics}",
        # Our configurations are complete.
        "--disable-auto-complete-config",
        # A model that cannot be loaded is not ready; the others serve.
        "--exit-on-error=false",
        "--strict-readiness=false",
        "--allow-gpu-metrics=false",
        f"--exit-timeout-secs={_EXIT_SECONDS}",
        f"--backend-config=python,shm-region-prefix-name={prefix}",
    ]
