"""Models run in this process with ONNX Runtime, on CUDA when present, else on the CPU."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from chassis.errors import ConfigError, MarqueeError, ModelError, Unavailable
from chassis.inference import Batch, ModelFile, Outputs
from chassis.inference._batcher import Batcher
from chassis.inference._session import OnnxModel, available_providers
from chassis.metrics import Backend, InferenceMetrics

__all__ = ["OnnxInference"]

_CPU_MAX_BATCH = 4  # more costs memory and the latency of others, and gains nothing on a CPU
_GPU_MAX_BATCH = 32

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Opened:
    """One model that runs: its session, its queue, and what closes both."""

    model: OnnxModel
    batcher: Batcher
    closing: AsyncExitStack


class OnnxInference:
    """An `Inference` of ONNX files; made by `open`."""

    def __init__(
        self, *, threads: int, max_batch: int | None, max_waiting: int, metrics: InferenceMetrics
    ) -> None:
        self._threads = threads
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._metrics = metrics
        self._opened: dict[str, _Opened] = {}
        self._changing = asyncio.Lock()
        self._is_open = True

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        paths: Mapping[str, Path],
        *,
        threads: int = 1,
        max_batch: int | None = None,
        max_waiting: int = 256,
        metrics: InferenceMetrics | None = None,
    ) -> AsyncIterator[OnnxInference]:
        """Open all models; on leaving, runs under way end and callers who wait are turned away.

        Args:
            paths: ONNX files by the name they are called with.
            threads: threads of one run of one model; every model can run at the same time as the others.
            max_batch: inputs of one run at most; None is 4 on a CPU and 32 on a GPU.
            max_waiting: inputs that may wait for one model before callers get `Overloaded`.
            metrics: where runs are counted.

        Raises:
            ModelError: a file is missing, damaged, or not a model with one batched float32 input.
            ConfigError: an option below 1.
        """
        if min(threads, max_waiting, 1 if max_batch is None else max_batch) < 1:
            raise ConfigError("threads, max_batch and max_waiting must be at least 1")
        inference = cls(
            threads=threads,
            max_batch=max_batch,
            max_waiting=max_waiting,
            metrics=metrics or InferenceMetrics(),
        )
        try:
            for key, path in paths.items():
                await inference.add(key, ModelFile(name=key, path=path))
            inference._tell_opened()
            yield inference
        finally:
            await inference._close()

    async def infer(self, model: str, batch: Batch) -> Outputs:
        """Run a model: see `Inference.infer`."""
        opened = self._opened.get(model)
        if opened is None:
            raise ModelError(f"there is no model {model!r} here") if self._is_open else _closed()
        opened.model.check(batch)
        return await opened.batcher.submit(batch)

    async def ready(self, models: Collection[str] | None = None) -> None:
        """See `Inference.ready`: open models are ready, because opening loads and checks them."""
        if not self._is_open:
            raise _closed()
        for key in models or ():
            if key not in self._opened:
                raise ModelError(f"there is no model {key!r} here")

    async def add(self, key: str, file: ModelFile) -> None:
        """See `Inference.add`."""
        if file.path is None:
            raise ModelError(f"model {key!r} has no file here")
        async with self._changing:
            if key not in self._opened:
                self._opened[key] = await self._open_model(key, file.path)

    async def remove(self, key: str) -> None:
        """See `Inference.remove`."""
        async with self._changing:
            opened = self._opened.pop(key, None)
            if opened is not None:
                await opened.closing.aclose()

    async def _open_model(self, key: str, path: Path) -> _Opened:
        async with AsyncExitStack() as stack:
            executor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="model"))
            model = await asyncio.get_running_loop().run_in_executor(executor, self._new_model, key, path)
            batcher = self._new_batcher(executor, key, model)
            await stack.enter_async_context(batcher.opened())
            return _Opened(model, batcher, stack.pop_all())

    def _new_model(self, key: str, path: Path) -> OnnxModel:
        return OnnxModel(key, path, threads=self._threads, providers=available_providers())

    def _new_batcher(self, executor: ThreadPoolExecutor, key: str, model: OnnxModel) -> Batcher:
        backend: Backend = "cpu" if model.provider == "CPUExecutionProvider" else "cuda"

        def timed(parts: Sequence[Batch]) -> Sequence[Outputs]:
            started = time.perf_counter()
            try:
                outputs = model.run(parts)
            except MarqueeError as exc:
                self._metrics.failed(key, backend, exc)
                raise
            self._metrics.run(key, backend, time.perf_counter() - started, sum(map(len, parts)))
            return outputs

        async def run(parts: Sequence[Batch]) -> Sequence[Outputs]:
            return await asyncio.get_running_loop().run_in_executor(executor, timed, parts)

        wanted = self._max_batch or (_CPU_MAX_BATCH if backend == "cpu" else _GPU_MAX_BATCH)
        return Batcher(
            key,
            run,
            max_batch=min(wanted, model.max_batch or wanted),
            max_waiting=self._max_waiting,
            waited=partial(self._metrics.waited, key, backend),
            retried=partial(self._metrics.retried, key, backend),
        )

    def _tell_opened(self) -> None:
        used = sorted({opened.model.provider for opened in self._opened.values()})
        _log.info("models opened", models=sorted(self._opened), providers=used, threads=self._threads)

    async def _close(self) -> None:
        self._is_open = False
        for key in list(self._opened):
            await self.remove(key)

    def __repr__(self) -> str:
        waiting = {key: opened.batcher.waiting for key, opened in self._opened.items()}
        return f"<OnnxInference {'open' if self._is_open else 'closed'}, waiting {waiting}>"


def _closed() -> Unavailable:
    return Unavailable("inference is closed")
