"""Processor time of processes on this machine: what neighbours disturb less than time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chassis.postgres import Pool

__all__ = ["Processor", "server_processes"]


@dataclass(frozen=True, slots=True)
class Processor:
    """Seconds of processor time that this process and those of PostgreSQL have taken."""

    python: float
    postgres: float

    @classmethod
    def now(cls, servers: Sequence[int]) -> Processor:
        """So far; `servers`: ids of PostgreSQL's processes, which are on this machine."""
        return cls(time.process_time(), sum(map(_seconds, servers)))

    def __sub__(self, earlier: Processor) -> Processor:
        return Processor(self.python - earlier.python, self.postgres - earlier.postgres)


async def server_processes(pool: Pool) -> list[int]:
    """Ids of the processes that serve all connections of the pool, which are opened for it."""
    connections = [await pool.acquire() for _ in range(pool.get_max_size())]
    try:
        return [connection.get_server_pid() for connection in connections]
    finally:
        for connection in connections:
            await pool.release(connection)


def _seconds(process_id: int) -> float:
    return int(Path(f"/proc/{process_id}/schedstat").read_text().split()[0]) / 1e9
