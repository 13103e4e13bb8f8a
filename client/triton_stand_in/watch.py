"""Noticing that a model's process is dead: Triton goes on calling the model ready, and every call fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from client.triton_stand_in.server import TritonProcess

__all__ = ["restart_when_stubs_die", "stubs_of"]

_POLL_SECONDS = 1.0
# While a model is loaded or unloaded the two numbers differ for a moment.
_PATIENCE = 3
_STUB = "triton_python_backend_stub"


async def restart_when_stubs_die(process: TritonProcess, *, report: Callable[[str], None]) -> None:
    """Kill the server when fewer stubs run than ready models have instances; its supervisor starts it again.

    Runs until it is cancelled.
    """
    seen = 0
    async with InferenceServerClient(process.address) as client:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            seen = seen + 1 if await _has_dead_stub(client, process) else 0
            if seen >= _PATIENCE:
                report("a model's process in Triton is dead; starting Triton again")
                process.kill()
                seen = 0


async def _has_dead_stub(client: InferenceServerClient, process: TritonProcess) -> bool:
    pid = process.pid
    if pid is None:
        return False
    try:
        expected = await _instances(client)
    except InferenceServerException:
        return False
    return len(stubs_of(pid)) < expected


async def _instances(client: InferenceServerClient) -> int:
    """Instances of all models that are ready; each has a stub of its own."""
    index = await client.get_model_repository_index(client_timeout=_POLL_SECONDS)
    ready = [one for one in index.models if one.state == "READY"]
    configs = [
        await client.get_model_config(one.name, one.version, client_timeout=_POLL_SECONDS) for one in ready
    ]
    return sum(group.count for answer in configs for group in answer.config.instance_group)


def stubs_of(pid: int) -> list[int]:
    """Ids of the stub processes of the tritonserver with this id; one serves one instance of a model."""
    children = [
        int(child)
        for file in Path("/proc", str(pid), "task").glob("*/children")
        for child in _read(file).split()
    ]
    return [child for child in children if _STUB in _read(Path("/proc", str(child), "cmdline"))]


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:  # it ended meanwhile
        return ""
