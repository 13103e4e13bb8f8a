"""Timing one model on several sides in turn, so that a drift of the machine's speed meets all."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

__all__ = ["Call", "Figures", "time_in_turn"]

Call = Callable[[int], Awaitable[object]]
"""One request; the number chooses the input."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one side at one concurrency, the median over rounds."""

    p50_ms: float
    p95_ms: float
    per_second: float


@dataclass(slots=True)
class _Round:
    seconds: float
    walls: list[float]


async def time_in_turn(
    sides: Mapping[str, Call], *, concurrency: int, rounds: int, seconds: float
) -> dict[str, Figures]:
    """Figures of each side: in every round each runs for about so many seconds, in another order."""
    counts = {name: await _count_for(call, concurrency, seconds) for name, call in sides.items()}
    taken: dict[str, list[_Round]] = {name: [] for name in sides}
    for turn in range(rounds):
        names = list(sides)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            taken[name].append(await _round(sides[name], concurrency, counts[name]))
    return {name: _figures(each) for name, each in taken.items()}


async def _count_for(call: Call, concurrency: int, seconds: float) -> int:
    """Requests that take about so many seconds, after a warm-up; at least four for each caller."""
    await _round(call, concurrency, concurrency)
    trial = await _round(call, concurrency, 2 * concurrency)
    return max(4 * concurrency, round(2 * concurrency * seconds / max(trial.seconds, 1e-6)))


async def _round(call: Call, concurrency: int, count: int) -> _Round:
    walls: list[float] = []
    numbers = iter(range(count))

    async def caller() -> None:
        for number in numbers:
            started = time.perf_counter()
            await call(number)
            walls.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(concurrency)))
    return _Round(time.perf_counter() - started, walls)


def _figures(rounds: list[_Round]) -> Figures:
    return Figures(
        p50_ms=statistics.median(statistics.median(one.walls) for one in rounds) * 1e3,
        p95_ms=statistics.median(_quantile(one.walls, 0.95) for one in rounds) * 1e3,
        per_second=statistics.median(len(one.walls) / one.seconds for one in rounds),
    )


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]
