"""One ONNX file in ONNX Runtime: opened with our settings, checked, run on batches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort

from chassis.errors import InvalidInput, ModelError
from chassis.inference import Batch, Outputs

__all__ = ["OnnxModel", "available_providers"]

_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_FLOAT = "tensor(float)"
_ERRORS_ONLY = 3


def available_providers() -> list[str]:
    """CUDA before the CPU where this build of ONNX Runtime has it."""
    return [_CUDA, _CPU] if _CUDA in ort.get_available_providers() else [_CPU]


class OnnxModel:
    """A session and what it takes; `run` is synchronous, and one call at a time is enough.

    Raises:
        ModelError: the file is missing or damaged, or is not a model of one batched float32 input.
    """

    def __init__(self, name: str, path: Path, *, threads: int, providers: Sequence[str]) -> None:
        self._name = name
        self._session = _opened(name, path, threads, providers)
        self._input = self._only_input()
        self._outputs = [output.name for output in self._session.get_outputs() if output.type == _FLOAT]
        if not self._outputs:
            raise ModelError(f"model {name!r} has no float32 output")

    @property
    def provider(self) -> str:
        """What the model runs on in the end; ONNX Runtime falls back to the CPU when CUDA does not start."""
        return str(self._session.get_providers()[0])

    @property
    def max_batch(self) -> int | None:
        """1 for a model that was exported for single inputs, None for any number."""
        return 1 if self._input.shape[0] == 1 else None

    def check(self, batch: Batch) -> None:
        """Raises ModelError unless the batch has the shape and type that the model takes."""
        shape = self._input.shape[1:]
        fits = batch.ndim == len(shape) + 1 and all(
            not isinstance(expected, int) or size == expected
            for size, expected in zip(batch.shape[1:], shape, strict=True)
        )
        if not fits or len(batch) == 0 or batch.dtype != np.float32:
            takes = "x".join(["n", *(str(size) for size in shape)])
            got = "x".join(str(size) for size in batch.shape)
            raise ModelError(f"model {self._name!r} takes float32 {takes}, got {batch.dtype} {got}")

    def run(self, parts: Sequence[Batch]) -> list[Outputs]:
        """Run parts of one shape as one batch and return the outputs of each.

        Raises:
            InvalidInput: a value is NaN or infinite.
            ModelError: the model failed, or gave something other than finite numbers for each input.
        """
        batch = np.concatenate(parts) if len(parts) > 1 else np.ascontiguousarray(parts[0])
        if not np.isfinite(batch).all():
            raise InvalidInput(f"inputs of model {self._name!r} must be finite")
        try:
            values = self._session.run(self._outputs, {self._input.name: batch})
        except Exception as exc:  # ONNX Runtime's errors have no common base class
            raise ModelError(f"model {self._name!r} failed") from exc
        self._check_outputs(values, len(batch))
        ends = np.cumsum([len(part) for part in parts])[:-1]
        by_output = [np.split(value, ends) for value in values]
        return [dict(zip(self._outputs, split, strict=True)) for split in zip(*by_output, strict=True)]

    def _only_input(self) -> ort.NodeArg:
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != _FLOAT or not inputs[0].shape:
            raise ModelError(f"model {self._name!r} must have one input, of float32")
        size = inputs[0].shape[0]
        if isinstance(size, int) and size != 1:
            raise ModelError(f"model {self._name!r} must take any number of inputs, or 1, but takes {size}")
        return inputs[0]

    def _check_outputs(self, values: Sequence[Batch], count: int) -> None:
        for name, value in zip(self._outputs, values, strict=True):
            if value.ndim == 0 or len(value) != count:
                raise ModelError(f"model {self._name!r} gave no {name!r} for each of {count} inputs")
            if not np.isfinite(value).all():
                raise ModelError(f"model {self._name!r} gave a {name!r} that is not finite")


def _opened(name: str, path: Path, threads: int, providers: Sequence[str]) -> ort.InferenceSession:
    try:
        _share_memory()
        return ort.InferenceSession(str(path), _options(threads), providers=list(providers))
    except Exception as exc:  # ONNX Runtime's errors have no common base class
        raise ModelError(f"model {name!r} cannot be opened: its file is missing or damaged") from exc


def _options(threads: int) -> ort.SessionOptions:
    """docs/inference.md has what each of these was measured to do."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Threads that spin while they wait take the cores from the other services of the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A plan reserves a block for each batch size that ever occurred; without plans memory is reused.
    options.enable_mem_pattern = False
    return options


@cache
def _share_memory() -> None:
    """One memory pool for all sessions of the process, grown by what is needed, not to powers of two."""
    settings = ort.OrtArenaCfg(
        {
            "max_mem": 0,  # no limit
            "arena_extend_strategy": 1,  # as requested
            "initial_chunk_size_bytes": -1,
            "max_dead_bytes_per_chunk": -1,
        }
    )
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(memory, settings)
