"""Looking up 50 candidates: what the gateway and the services read from PostgreSQL for one answer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.processor import Processor, server_processes
from chassis.postgres import open_pool
from gateway.catalogue.names import PerformerNames
from gateway.catalogue.store import CatalogueStore
from services.face.store import FaceStore
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from services.tattoo.store import TattooStore

__all__ = ["CANDIDATES", "Lookup", "look_up"]

CANDIDATES = 50
_ROUNDS_TO_WARM_UP = 10
_SERVING = [BUILT_IN_ROWS[name].key for name in DEFAULT_EMBEDDERS]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Milliseconds of one lookup of all candidates."""

    what: str
    n: int
    p5: float
    """What it takes while nobody else has the processor."""
    p50: float
    p95: float
    python_cpu: float
    """Processor time of this process, on average."""
    postgres_cpu: float
    """Processor time of the one connection's server process, on average."""


async def look_up(
    dsn: str, performers: Sequence[str], rng: np.random.Generator, *, rounds: int
) -> list[Lookup]:
    """Each lookup for other candidates every time, on one connection; the baseline asks for them one by one.

    Of an embedded PostgreSQL: what its process takes is read from this machine.
    """
    async with open_pool(dsn, max_size=1) as pool:
        catalogue, tattoos = CatalogueStore(pool), TattooStore(pool)
        faces = FaceStore(pool, most_searched=20)
        servers = await server_processes(pool)

        async def count_faces(ids: Sequence[str]) -> None:
            await faces.lookup(ids, _SERVING)

        async def one_after_the_other(ids: Sequence[str]) -> None:
            for performer_id in ids:
                await catalogue.by_id(performer_id)

        lookups: dict[str, Callable[[Sequence[str]], Awaitable[object]]] = {
            "catalogue, names (Identify)": PerformerNames(pool),
            "catalogue, whole performers": catalogue.by_ids,
            "face, Lookup": count_faces,
            "tattoo, Lookup": tattoos.of_performers,
            "catalogue, one after the other (baseline)": one_after_the_other,
        }
        drawn = [
            [performers[one] for one in rng.choice(len(performers), CANDIDATES, replace=False)]
            for _ in range(rounds + _ROUNDS_TO_WARM_UP)
        ]
        return [await _timed(name, call, drawn, servers) for name, call in lookups.items()]


async def _timed(
    name: str,
    call: Callable[[Sequence[str]], Awaitable[object]],
    drawn: Sequence[Sequence[str]],
    servers: Sequence[int],
) -> Lookup:
    for ids in drawn[:_ROUNDS_TO_WARM_UP]:  # prepares statements, and has the server plan once for all
        await call(ids)
    times, before = [], Processor.now(servers)
    for ids in drawn[_ROUNDS_TO_WARM_UP:]:
        started = time.perf_counter()
        await call(ids)
        times.append((time.perf_counter() - started) * 1e3)
    taken = Processor.now(servers) - before
    ranked, last = sorted(times), len(times) - 1
    return Lookup(
        name,
        len(ranked),
        ranked[int(0.05 * last)],
        statistics.median(ranked),
        ranked[int(0.95 * last)],
        taken.python * 1e3 / len(ranked),
        taken.postgres * 1e3 / len(ranked),
    )
