"""How long other calls of a service wait while it searches: in its own process, or in one beside it.

A real gRPC server answers health checks from another process's client while 50 searches a second run.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as aio_health
from numpy.typing import NDArray

from bench.index.builds import VoyagerLibrary
from chassis.index import VectorIndex

__all__ = ["Stalls", "Place", "measure_stalls"]

Place = Literal["none", "thread", "process"]
_SEARCHES_A_SECOND = 50
_CHECKS_A_SECOND = 40

_index: VectorIndex | None = None
"""Of the process beside the service."""


@dataclass(frozen=True, slots=True)
class Stalls:
    """Milliseconds from outside."""

    health_p50_ms: float
    health_p99_ms: float
    health_max_ms: float
    search_p50_ms: float
    """Inside the service, from asking to knowing; 0 where nothing searches."""
    searches: int


def measure_stalls(place: Place, path: Path, dimension: int, count: int, *, seconds: float) -> Stalls:
    """Serve from a process of its own while this one measures."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(place, path, dimension, count, theirs))
    process.start()
    try:
        port = ours.recv()
        times = asyncio.run(_check(port, seconds))
        ours.send("stop")
        searches = ours.recv()
    finally:
        process.join(30)
        if process.is_alive():
            process.terminate()
    p50, p99 = np.percentile(times, [50, 99]).tolist()
    median = float(np.median(searches)) if searches else 0.0
    return Stalls(p50, p99, max(times), median, len(searches))


async def _check(port: int, seconds: float) -> list[float]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        await stub.Check(health_pb2.HealthCheckRequest())
        times, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            await stub.Check(health_pb2.HealthCheckRequest())
            times.append((time.perf_counter() - start) * 1e3)
            await asyncio.sleep(1 / _CHECKS_A_SECOND)
        return times


def _serve(
    place: Place,
    path: Path,
    dimension: int,
    count: int,
    pipe: multiprocessing.connection.Connection,
) -> None:
    asyncio.run(_serving(place, path, dimension, count, pipe))


async def _serving(
    place: Place,
    path: Path,
    dimension: int,
    count: int,
    pipe: multiprocessing.connection.Connection,
) -> None:
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(aio_health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    search, stop = _search_in(place, path, dimension, count)
    await search(np.random.default_rng(0).normal(size=dimension).astype(np.float32))
    pipe.send(port)
    times = await _searches(search, dimension, pipe, is_searching=place != "none")
    pipe.send(times)
    stop()
    await server.stop(1)


Search = Callable[[NDArray[np.float32]], Awaitable[object]]


def _search_in(place: Place, path: Path, dimension: int, count: int) -> tuple[Search, Callable[[], None]]:
    if place == "process":
        pool = ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), initializer=_load, initargs=(path, dimension, count)
        )
        loop = asyncio.get_running_loop()
        return (lambda probe: loop.run_in_executor(pool, _search, probe)), pool.shutdown
    index = VoyagerLibrary().load(path, dimension, count, count)
    return (lambda probe: asyncio.to_thread(index.search, probe, 40)), lambda: None


def _load(path: Path, dimension: int, count: int) -> None:
    global _index  # a worker process has one
    _index = VoyagerLibrary().load(path, dimension, count, count)


def _search(probe: NDArray[np.float32]) -> list[tuple[int, float]]:
    if _index is None:
        raise RuntimeError("the worker has no index")
    return [(one.id, one.similarity) for one in _index.search(probe, 40)]


async def _searches(
    search: Search, dimension: int, pipe: multiprocessing.connection.Connection, *, is_searching: bool
) -> list[float]:
    """Until told to stop, searches that begin at random moments, whether or not earlier ones have ended."""
    rng = np.random.default_rng(1)
    times: list[float] = []

    async def one(probe: NDArray[np.float32]) -> None:
        start = time.perf_counter()
        await search(probe)
        times.append((time.perf_counter() - start) * 1e3)

    async with asyncio.TaskGroup() as tasks:
        while not pipe.poll():
            if is_searching:
                tasks.create_task(one(rng.normal(size=dimension).astype(np.float32)))
            await asyncio.sleep(float(rng.exponential(1 / _SEARCHES_A_SECOND)))
    return times
