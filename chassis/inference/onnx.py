"""Models run in this process with ONNX Runtime, on CUDA when present, else on the CPU."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog

from chassis.errors import ConfigError, ModelError, Unavailable
from chassis.inference import Batch, Outputs
from chassis.inference._batcher import Batcher
from chassis.inference._session import OnnxModel, available_providers

__all__ = ["OnnxInference"]

_CPU_MAX_BATCH = 4  # more costs memory and the latency of others, and gains nothing on a CPU
_GPU_MAX_BATCH = 32

_log = structlog.get_logger(__name__)


class OnnxInference:
    """An `Inference` of ONNX files; made by `open`."""

    def __init__(self) -> None:
        self._models: dict[str, OnnxModel] = {}
        self._batchers: dict[str, Batcher] = {}
        self._is_open = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        paths: Mapping[str, Path],
        *,
        threads: int = 1,
        max_batch: int | None = None,
        max_waiting: int = 256,
    ) -> AsyncIterator[OnnxInference]:
        """Open all models; on leaving, runs under way end and callers who wait are turned away.

        Args:
            paths: ONNX files by the name they are called with.
            threads: threads of one run of one model; every model can run at the same time as the others.
            max_batch: inputs of one run at most; None is 4 on a CPU and 32 on a GPU.
            max_waiting: inputs that may wait for one model before callers get `Overloaded`.

        Raises:
            ModelError: a file is missing, damaged, or not a model with one batched float32 input.
            ConfigError: an option below 1.
        """
        if min(threads, max_waiting, 1 if max_batch is None else max_batch) < 1:
            raise ConfigError("threads, max_batch and max_waiting must be at least 1")
        inference = cls()
        with ThreadPoolExecutor(max(1, len(paths)), thread_name_prefix="model") as executor:
            await inference._load(executor, paths, threads)
            async with AsyncExitStack() as stack:
                for name, model in inference._models.items():
                    batcher = _batcher(executor, name, model, max_batch, max_waiting)
                    inference._batchers[name] = await stack.enter_async_context(batcher.opened())
                inference._is_open = True
                stack.callback(inference._close)
                yield inference

    async def infer(self, model: str, batch: Batch) -> Outputs:
        """Run a model: see `Inference.infer`."""
        if model not in self._models:
            raise ModelError(f"there is no model {model!r} here")
        self._models[model].check(batch)
        return await self._batchers[model].submit(batch)

    async def ready(self) -> None:
        """Raises Unavailable when closed: open models are ready, because opening loads and checks them."""
        if not self._is_open:
            raise Unavailable("inference is closed")

    async def _load(self, executor: ThreadPoolExecutor, paths: Mapping[str, Path], threads: int) -> None:
        loop = asyncio.get_running_loop()
        providers = available_providers()
        for name, path in paths.items():
            open_model = partial(OnnxModel, name, path, threads=threads, providers=providers)
            self._models[name] = await loop.run_in_executor(executor, open_model)
        used = sorted({model.provider for model in self._models.values()})
        _log.info("models opened", models=sorted(self._models), providers=used, threads=threads)

    def _close(self) -> None:
        self._is_open = False

    def __repr__(self) -> str:
        waiting = {name: batcher.waiting for name, batcher in self._batchers.items()}
        return f"<OnnxInference {'open' if self._is_open else 'closed'}, waiting {waiting}>"


def _batcher(
    executor: ThreadPoolExecutor, name: str, model: OnnxModel, max_batch: int | None, max_waiting: int
) -> Batcher:
    async def run(parts: Sequence[Batch]) -> Sequence[Outputs]:
        return await asyncio.get_running_loop().run_in_executor(executor, model.run, parts)

    on_gpu = model.provider != "CPUExecutionProvider"
    wanted = max_batch or (_GPU_MAX_BATCH if on_gpu else _CPU_MAX_BATCH)
    return Batcher(name, run, max_batch=min(wanted, model.max_batch or wanted), max_waiting=max_waiting)
