"""Models run in this process with ONNX Runtime, on a GPU or on the CPU."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from chassis.errors import ConfigError, ModelError, Unavailable
from chassis.inference import Batch, ModelFile, Outputs
from chassis.inference._running import RunningModel, RunOptions, Sleep
from chassis.inference.device import CPU, Device
from chassis.metrics import InferenceMetrics

__all__ = ["OnnxInference"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Opened:
    """One model, and what closes it."""

    running: RunningModel
    closing: AsyncExitStack


class OnnxInference:
    """An `Inference` of ONNX files; made by `open`."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
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
        device: Device = CPU,
        idle_seconds: float | None = None,
        metrics: InferenceMetrics | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> AsyncIterator[OnnxInference]:
        """Open all models; on leaving, runs under way end and callers who wait are turned away.

        Args:
            paths: ONNX files by the name they are called with.
            threads: threads of one run of one model; every model can run at the same time as the others.
            max_batch: inputs of one run at most; None is 4 on a CPU and 32 on a GPU.
            max_waiting: inputs that may wait for one model before callers get `Overloaded`.
            device: what models run on; see `choose_device`.
            idle_seconds: a model that has not run for so long gives its memory back; the next call opens it
                again, and waits for that. None: never.
            metrics: where runs are counted.
            sleep: the clock of `idle_seconds`.

        Raises:
            ModelError: a file is missing, damaged, or not a model with one batched float32 input.
            ConfigError: an option below 1.
        """
        if min(threads, max_waiting, 1 if max_batch is None else max_batch) < 1:
            raise ConfigError("threads, max_batch and max_waiting must be at least 1")
        options = RunOptions(
            threads=threads,
            max_batch=max_batch,
            max_waiting=max_waiting,
            device=device,
            idle_seconds=idle_seconds,
            metrics=metrics or InferenceMetrics(),
            sleep=sleep,
        )
        inference = cls(options)
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
        return await opened.running.infer(batch)

    async def ready(self, models: Collection[str] | None = None) -> None:
        """See `Inference.ready`: models are loaded and checked as they open; one that rests is ready."""
        if not self._is_open:
            raise _closed()
        for key in list(self._opened) if models is None else models:
            if key not in self._opened:
                raise ModelError(f"there is no model {key!r} here")
            await self._opened[key].running.ready()

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
            running = await stack.enter_async_context(RunningModel.open(key, path, self._options))
            return _Opened(running, stack.pop_all())

    def _tell_opened(self) -> None:
        used = sorted({opened.running.backend for opened in self._opened.values()})
        _log.info("models opened", models=sorted(self._opened), on=used, threads=self._options.threads)

    async def _close(self) -> None:
        self._is_open = False
        for key in list(self._opened):
            await self.remove(key)

    def __repr__(self) -> str:
        models = [opened.running for opened in self._opened.values()]
        return f"<OnnxInference {'open' if self._is_open else 'closed'}, {models}>"


def _closed() -> Unavailable:
    return Unavailable("inference is closed")
