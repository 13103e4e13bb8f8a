"""The parts that every service opens, from its settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from chassis.config import DatabaseSection, InferenceSection
from chassis.errors import ModelError
from chassis.inference import Inference, ModelFile
from chassis.inference.device import CPU, choose_device
from chassis.inference.onnx import OnnxInference
from chassis.inference.triton import TritonInference
from chassis.metrics import InferenceMetrics
from chassis.models import ModelSpec, ModelStore
from chassis.postgres import Pool, SchemaSource, open_pool, require_schema

__all__ = ["open_database", "open_inference", "built_in_file"]


@asynccontextmanager
async def open_database(settings: DatabaseSection, schema: SchemaSource) -> AsyncIterator[Pool]:
    """Connections to a database that has exactly the schema wanted.

    Raises ConfigError when none is configured, StoreError when it cannot be reached or has another schema.
    """
    async with open_pool(
        settings.resolve_dsn(),
        max_size=settings.pool_size,
        command_timeout=settings.command_timeout_seconds,
        application_name=f"marquee {schema.schema}",
    ) as pool:
        await require_schema(pool, schema)
        yield pool


@asynccontextmanager
async def open_inference(
    settings: InferenceSection, files: Mapping[str, ModelFile], metrics: InferenceMetrics | None = None
) -> AsyncIterator[Inference]:
    """The models of `files` by key, counted in `metrics`: run by Triton when it is configured, else here.

    Raises ModelError for a missing or damaged file, ConfigError for a GPU that must be used and cannot. A
    server that is not there, or lacks a model, is no error here: `Inference.ready` says so, until it is.
    """
    if settings.triton_url:
        async with TritonInference.open(
            settings.triton_url,
            files,
            timeout_seconds=settings.triton_timeout_seconds,
            retry_seconds=settings.triton_retry_seconds,
            max_waiting=settings.max_waiting,
            metrics=metrics,
        ) as inference:
            yield inference
        return
    async with _open_here(settings, files, metrics) as local:
        yield local


@asynccontextmanager
async def _open_here(
    settings: InferenceSection, files: Mapping[str, ModelFile], metrics: InferenceMetrics | None
) -> AsyncIterator[Inference]:
    choose = partial(choose_device, settings.device, gpu=settings.gpu, memory_bytes=settings.gpu_memory_bytes)
    device = await asyncio.to_thread(choose)
    async with OnnxInference.open(
        {key: _path_of(file) for key, file in files.items()},
        threads=settings.threads,
        max_batch=settings.max_batch,
        max_waiting=settings.max_waiting,
        device=device,
        idle_seconds=None if device == CPU else settings.gpu_idle_seconds or None,
        metrics=metrics,
    ) as inference:
        yield inference


def built_in_file(spec: ModelSpec, store: ModelStore, settings: InferenceSection) -> ModelFile:
    """A built-in model as `open_inference` takes it: with its verified file, unless Triton has it.

    Raises ModelError, naming model and remedy, when it runs here and is not built or damaged.
    """
    path = None if settings.triton_url else store.path(spec.name, version=spec.version)
    return ModelFile(name=spec.name, version=spec.version, path=path, spec=spec)


def _path_of(file: ModelFile) -> Path:
    if file.path is None:
        raise ModelError(f"model {file.name} has no file here")
    return file.path
