"""The parts that every service opens, from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.config import DatabaseSection, InferenceSection
from chassis.errors import ModelError
from chassis.inference import Inference, ModelFile
from chassis.inference.onnx import OnnxInference
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
    settings: InferenceSection, files: Mapping[str, ModelFile]
) -> AsyncIterator[Inference]:
    """The models of `files` by key. Raises ModelError for a missing or damaged file."""
    paths = {key: _path_of(file) for key, file in files.items()}
    async with OnnxInference.open(
        paths, threads=settings.threads, max_batch=settings.max_batch, max_waiting=settings.max_waiting
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
