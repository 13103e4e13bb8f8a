"""The parts that every service opens, from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from chassis.config import DatabaseSection, InferenceSection
from chassis.inference import Inference
from chassis.inference.onnx import OnnxInference
from chassis.postgres import Pool, SchemaSource, open_pool, require_schema

__all__ = ["open_database", "open_inference"]


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
async def open_inference(settings: InferenceSection, paths: Mapping[str, Path]) -> AsyncIterator[Inference]:
    """The models of `paths` by name. Raises ModelError for a missing or damaged file."""
    async with OnnxInference.open(
        paths, threads=settings.threads, max_batch=settings.max_batch, max_waiting=settings.max_waiting
    ) as inference:
        yield inference
