"""One model that runs: its session in a thread of its own, the queue in front of it, what is counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from chassis.errors import MarqueeError, ModelError
from chassis.inference import Batch, Outputs
from chassis.inference._batcher import Batcher
from chassis.inference._session import OnnxModel
from chassis.inference.device import Device
from chassis.metrics import Backend, InferenceMetrics

__all__ = ["RunningModel", "RunOptions", "Sleep"]

Sleep = Callable[[float], Awaitable[None]]
"""Returns after so many seconds."""

_T = TypeVar("_T")

_CPU_MAX_BATCH = 4  # more costs memory and the latency of others, and gains nothing on a CPU
_GPU_MAX_BATCH = 32

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How models are run; `OnnxInference.open` has what each means."""

    threads: int
    max_batch: int | None
    max_waiting: int
    device: Device
    idle_seconds: float | None
    metrics: InferenceMetrics
    sleep: Sleep


class RunningModel:
    """A model that takes calls; made by `open`.

    Everything that touches the session is done in its one thread, in turn: it is never closed under a run,
    and a run that comes after the closing opens it again.
    """

    def __init__(self, name: str, model: OnnxModel, thread: ThreadPoolExecutor, options: RunOptions) -> None:
        self._name = name
        self._model = model
        self._thread = thread
        self._options = options
        self._metrics = options.metrics
        self._did_not_wake = False
        wanted = options.max_batch or (_CPU_MAX_BATCH if model.backend == "cpu" else _GPU_MAX_BATCH)
        self._batcher = Batcher(
            name,
            partial(self._in_thread, self._run),
            max_batch=min(wanted, model.max_batch or wanted),
            max_waiting=options.max_waiting,
            waited=lambda seconds: self._metrics.waited(name, model.backend, seconds),
            retried=lambda: self._metrics.retried(name, model.backend),
            while_idle=None if options.idle_seconds is None else partial(self._idle, options.idle_seconds),
        )

    @classmethod
    @asynccontextmanager
    async def open(cls, name: str, path: Path, options: RunOptions) -> AsyncIterator[RunningModel]:
        """Raises ModelError: see `OnnxModel`."""
        with ThreadPoolExecutor(1, thread_name_prefix="model") as thread:
            opening = partial(
                OnnxModel,
                name,
                path,
                threads=options.threads,
                device=options.device,
                may_rest=options.idle_seconds is not None,
            )
            model = await asyncio.get_running_loop().run_in_executor(thread, opening)
            running = cls(name, model, thread, options)
            try:
                async with running._batcher.opened():
                    yield running
            finally:
                model.rest()  # its memory is wanted now, not when the garbage collector comes by

    @property
    def backend(self) -> Backend:
        """What it runs on."""
        return self._model.backend

    async def infer(self, batch: Batch) -> Outputs:
        """See `Inference.infer`."""
        self._model.check(batch)
        return await self._batcher.submit(batch)

    async def ready(self) -> None:
        """A model that rests is ready. Raises ModelError for one that did not wake, and does not now."""
        if self._did_not_wake:
            await self._in_thread(self._wake)

    def __repr__(self) -> str:
        resting = ", resting" if self._model.is_resting else ""
        return f"<RunningModel {self._name}, {self._batcher.waiting} waiting{resting}>"

    async def _idle(self, seconds: float) -> None:
        """Close the session after this time; cancelled by a call."""
        while True:
            await self._options.sleep(seconds)
            await self._in_thread(self._rest)

    async def _in_thread(self, function: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _rest(self) -> None:
        if not self._model.is_resting:
            self._model.rest()
            _log.info("model closed, for nobody calls it", model=self._name)

    def _wake(self) -> None:
        if not self._model.is_resting:
            return
        started = time.perf_counter()
        try:
            self._model.wake()
        except ModelError:
            self._did_not_wake = True
            raise
        self._did_not_wake = False
        took = round((time.perf_counter() - started) * 1e3, 1)
        _log.info("model opened again", model=self._name, backend=self.backend, ms=took)

    def _run(self, parts: Sequence[Batch]) -> Sequence[Outputs]:
        try:
            self._wake()
            started = time.perf_counter()
            outputs = self._model.run(parts)
        except MarqueeError as exc:
            self._metrics.failed(self._name, self.backend, exc)
            raise
        seconds = time.perf_counter() - started
        self._metrics.run(self._name, self.backend, seconds, sum(len(part) for part in parts))
        return outputs
