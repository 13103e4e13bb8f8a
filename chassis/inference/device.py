"""What the models of this process run on: the CPU, or a GPU through CUDA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from chassis.errors import ConfigError
from chassis.inference._cuda import CPU_PROVIDER, CUDA_PROVIDER, Provider, has_cuda, problem_with

__all__ = ["CPU", "Device", "DeviceChoice", "choose_device"]

DeviceChoice = Literal["auto", "cpu", "cuda"]
"""What the owner wants: CUDA where it can be used, or one of the two and nothing else."""

_NOT_BUILT_IN = "the ONNX Runtime that is installed is built without it (`make gpu` installs one with it)"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where sessions run."""

    gpu: int | None = None
    """Number of the GPU; None is the CPU."""
    memory_bytes: int | None = None
    """Most memory of one model on the GPU; None is what there is."""
    is_required: bool = False
    """Whether a model that the GPU does not take is an error; else it runs on the CPU."""

    @property
    def providers(self) -> list[Provider]:
        """As ONNX Runtime wants them: the GPU before the CPU, which runs what a GPU has no code for."""
        return [CPU_PROVIDER] if self.gpu is None else [(CUDA_PROVIDER, self._options()), CPU_PROVIDER]

    def _options(self) -> dict[str, str]:
        """docs/inference.md says why."""
        limit = {} if self.memory_bytes is None else {"gpu_mem_limit": str(self.memory_bytes)}
        return {
            "device_id": str(self.gpu),
            # Several services share the GPU: each takes what it needs, not the next power of two.
            "arena_extend_strategy": "kSameAsRequested",
            # An exhaustive search runs every algorithm for every new shape and takes memory for the largest.
            "cudnn_conv_algo_search": "HEURISTIC",
            # Ten bits of a mantissa are not the numbers of a CPU, with which they are compared.
            "use_tf32": "0",
            **limit,
        }


CPU = Device()


def choose_device(
    choice: DeviceChoice = "auto",
    *,
    gpu: int = 0,
    memory_bytes: int | None = None,
    is_built_in: Callable[[], bool] = has_cuda,
    problem: Callable[[list[Provider]], str] = problem_with,
) -> Device:
    """The device that can be used; on a machine with CUDA it is tried out, which takes seconds.

    `auto` falls back to the CPU, and says so where this build of ONNX Runtime has CUDA. `is_built_in` tells
    whether it has, `problem` why it cannot be used, "" if it can.

    Raises ConfigError for `cuda` that cannot be used.
    """
    if choice == "cpu" or (choice == "auto" and not is_built_in()):
        return CPU
    device = Device(gpu=gpu, memory_bytes=memory_bytes, is_required=choice == "cuda")
    reason = problem(device.providers) if is_built_in() else _NOT_BUILT_IN
    if reason and device.is_required:
        raise ConfigError(f"inference.device: CUDA cannot be used: {reason}")
    if reason:
        _log.warning("CUDA cannot be used, models run on the CPU", reason=reason)
    return CPU if reason else device
