"""A real Triton server for tests: the stand-in, with built models or small ones made for a test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tritonclient.grpc.aio import InferenceServerClient

from chassis.errors import Unavailable
from client.triton_stand_in.environment import StandInEnvironment, ensure_environment
from client.triton_stand_in.server import EXPLICIT, TritonPorts, TritonProcess, running_triton

__all__ = ["READY_SECONDS", "stand_in", "open_triton", "add_model", "load", "unload"]

READY_SECONDS = 90.0

_CONFIG = """
name: "{name}"
backend: "onnxruntime"
max_batch_size: {max_batch}
input [ {{ name: "input", data_type: TYPE_FP32, dims: [ {side} ] }} ]
output [ {outputs} ]
version_policy {{ latest {{ num_versions: 2 }} }}
instance_group [ {{ count: 1 }} ]
{batching}
parameters {{ key: "intra_op_thread_count", value {{ string_value: "1" }} }}
"""
_QUEUE = """
dynamic_batching {{
  default_queue_policy {{
    timeout_action: REJECT
    default_timeout_microseconds: 10000000
    allow_timeout_override: true
    max_queue_size: {size}
  }}
}}
"""


def stand_in() -> StandInEnvironment:
    """The installed stand-in; skips, or on CI fails, where it cannot be installed."""
    try:
        return ensure_environment()
    except Unavailable as exc:
        if os.environ.get("CI") == "true":  # there a skip would read as a pass, with nothing tested
            pytest.fail(str(exc))
        pytest.skip(str(exc))


@asynccontextmanager
async def open_triton(
    repository: Path, log: Path, *, ports: TritonPorts | None = None, options: Sequence[str] = EXPLICIT
) -> AsyncIterator[TritonProcess]:
    """A running server, ready."""
    process = TritonProcess(
        stand_in(), repository, log=log, ports=ports or TritonPorts.ephemeral(), options=options
    )
    async with running_triton(process, ready_timeout=READY_SECONDS):
        yield process


def add_model(
    repository: Path,
    name: str,
    file: Path,
    *,
    side: int,
    outputs: dict[str, int],
    version: int = 1,
    max_batch: int = 4,
    max_queue: int = 64,
) -> None:
    """Put an ONNX file with one input of `side` values, and outputs of so many, into a repository."""
    given = ", ".join(
        f'{{ name: "{output}", data_type: TYPE_FP32, dims: [ {size} ] }}' for output, size in outputs.items()
    )
    text = _CONFIG.format(
        name=name, max_batch=max_batch, side=side, outputs=given, batching=_QUEUE.format(size=max_queue)
    )
    target = repository / name / str(version)
    target.mkdir(parents=True, exist_ok=True)
    (repository / name / "config.pbtxt").write_text(text, encoding="utf-8")
    (target / "model.onnx").write_bytes(file.read_bytes())


async def load(process: TritonProcess, name: str) -> None:
    """Load a model, or load it again from changed files."""
    async with InferenceServerClient(process.address) as client:
        await client.load_model(name, client_timeout=READY_SECONDS)


async def unload(process: TritonProcess, name: str) -> None:
    """Take a model out of service."""
    async with InferenceServerClient(process.address) as client:
        await client.unload_model(name, client_timeout=READY_SECONDS)
