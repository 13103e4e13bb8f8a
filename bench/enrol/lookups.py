"""Looking up 50 candidates: what the gateway and the services read from PostgreSQL for one answer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chassis.postgres import Pool
from gateway.catalogue.store import CatalogueStore
from services.face.store import FaceStore
from services.tattoo.store import TattooStore

__all__ = ["CANDIDATES", "Lookup", "look_up"]

CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Lookup:
    """Milliseconds of one lookup of all candidates."""

    what: str
    n: int
    p5: float
    """What it takes while nobody else has the processor."""
    p50: float
    p95: float


async def look_up(
    pool: Pool, performers: Sequence[str], rng: np.random.Generator, *, rounds: int
) -> list[Lookup]:
    """Each lookup for other candidates every time; the baseline asks for one after the other."""
    catalogue, faces, tattoos = CatalogueStore(pool), FaceStore(pool, most_searched=20), TattooStore(pool)

    async def one_after_the_other(ids: Sequence[str]) -> None:
        for performer_id in ids:
            await catalogue.by_id(performer_id)

    lookups: dict[str, Callable[[Sequence[str]], Awaitable[object]]] = {
        "catalogue, by_ids": catalogue.by_ids,
        "face, Lookup": faces.lookup,
        "tattoo, Lookup": tattoos.of_performers,
        "catalogue, one after the other (baseline)": one_after_the_other,
    }
    times: dict[str, list[float]] = {name: [] for name in lookups}
    for number in range(rounds + 1):
        ids = [performers[one] for one in rng.choice(len(performers), CANDIDATES, replace=False)]
        for name, call in lookups.items():
            started = time.perf_counter()
            await call(ids)
            if number:  # the first one opens connections and prepares statements
                times[name].append((time.perf_counter() - started) * 1e3)
    return [_lookup(name, each) for name, each in times.items()]


def _lookup(name: str, times: list[float]) -> Lookup:
    ranked = sorted(times)
    last = len(ranked) - 1
    return Lookup(
        name, len(ranked), ranked[int(0.05 * last)], statistics.median(ranked), ranked[int(0.95 * last)]
    )
