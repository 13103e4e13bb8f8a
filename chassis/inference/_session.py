"""One ONNX file in ONNX Runtime: opened with our settings, checked, run on batches, closed to rest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
import structlog

from chassis.errors import InvalidInput, ModelError
from chassis.inference import Batch, Outputs
from chassis.inference._batches import check_batch
from chassis.inference._cuda import CPU_PROVIDER, first_line
from chassis.inference.device import CPU, Device
from chassis.metrics import Backend

__all__ = ["OnnxModel"]

_FLOAT = "tensor(float)"
_ERRORS_ONLY = 3

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Ends:
    """What a model takes and gives: plain values, which do not keep its session in memory."""

    input: str
    shape: tuple[int | str | None, ...]
    """Of one input; a name or None is any size."""
    is_single: bool
    """Whether it takes one input at a time."""
    outputs: tuple[str, ...]


class OnnxModel:
    """A session and what it takes; `run` is synchronous, and one call at a time is enough.

    `rest` closes the session, with the memory that it has on a GPU; `wake` opens it again, and so does `run`.

    Raises:
        ModelError: the file is missing or damaged, or is not a model of one batched float32 input.
    """

    def __init__(self, name: str, path: Path, *, threads: int, device: Device, may_rest: bool) -> None:
        self._name = name
        self._path = path
        self._threads = threads
        self._device = device
        self._digest = _digest(name, path) if may_rest else ""
        self._session: ort.InferenceSession | None = _opened(name, path, threads, device)
        self._ends = _ends(name, self._session)
        self._backend = _backend(self._session)

    @property
    def backend(self) -> Backend:
        """What the model runs on, or ran on before it rested."""
        return self._backend

    @property
    def max_batch(self) -> int | None:
        """1 for a model that was exported for single inputs, None for any number."""
        return 1 if self._ends.is_single else None

    @property
    def is_resting(self) -> bool:
        return self._session is None

    def rest(self) -> None:
        """Close the session; nothing happens when it is."""
        self._session = None

    def wake(self) -> None:
        """Open the session; nothing happens when it is. Raises ModelError for a file that is not the same."""
        if self._session is not None:
            return
        if _digest(self._name, self._path) != self._digest:
            raise ModelError(
                f"model {self._name!r} cannot be opened again: its file has changed since the start"
            )
        session = _opened(self._name, self._path, self._threads, self._device)
        self._session, self._backend = session, _backend(session)

    def check(self, batch: Batch) -> None:
        """Raises ModelError unless the batch has the shape and type that the model takes."""
        check_batch(self._name, self._ends.shape, batch)

    def run(self, parts: Sequence[Batch]) -> list[Outputs]:
        """Run parts of one shape as one batch and return the outputs of each.

        Raises:
            InvalidInput: a value is NaN or infinite.
            ModelError: the model failed, or gave something other than finite numbers for each input; or it
                rested, and its file is not the same.
        """
        batch = np.concatenate(parts) if len(parts) > 1 else np.ascontiguousarray(parts[0])
        if not np.isfinite(batch).all():
            raise InvalidInput(f"inputs of model {self._name!r} must be finite")
        self.wake()
        assert self._session is not None
        try:
            values = self._session.run(self._ends.outputs, {self._ends.input: batch})
        except Exception as exc:  # ONNX Runtime's errors have no common base class
            raise ModelError(f"model {self._name!r} failed") from exc
        self._check_outputs(values, len(batch))
        ends = np.cumsum([len(part) for part in parts])[:-1]
        by_output = [np.split(value, ends) for value in values]
        return [dict(zip(self._ends.outputs, split, strict=True)) for split in zip(*by_output, strict=True)]

    def _check_outputs(self, values: Sequence[Batch], count: int) -> None:
        for name, value in zip(self._ends.outputs, values, strict=True):
            if value.ndim == 0 or len(value) != count:
                raise ModelError(f"model {self._name!r} gave no {name!r} for each of {count} inputs")
            if not np.isfinite(value).all():
                raise ModelError(f"model {self._name!r} gave a {name!r} that is not finite")


def _opened(name: str, path: Path, threads: int, device: Device) -> ort.InferenceSession:
    """A session on the device, or on the CPU when a GPU does not take the model and need not."""
    try:
        return _new_session(path, threads, device)
    except Exception as exc:  # ONNX Runtime's errors have no common base class
        if device == CPU or device.is_required:
            raise ModelError(f"model {name!r} cannot be opened: {_blame(device)}") from exc
        session = _opened(name, path, threads, CPU)
        _log.warning("the GPU does not take a model, it runs on the CPU", model=name, reason=first_line(exc))
        return session


def _blame(device: Device) -> str:
    damaged = "its file is missing or damaged"
    return damaged if device == CPU else f"{damaged}, or the GPU has no room for it"


def _new_session(path: Path, threads: int, device: Device) -> ort.InferenceSession:
    _share_memory()
    options = _options(threads, shares_memory=device == CPU)
    # ONNX Runtime's own way to fall back prints, and stays on the CPU when a single run has failed.
    return ort.InferenceSession(str(path), options, providers=device.providers, enable_fallback=0)


def _backend(session: ort.InferenceSession) -> Backend:
    return "cpu" if session.get_providers()[0] == CPU_PROVIDER else "cuda"


def _ends(name: str, session: ort.InferenceSession) -> _Ends:
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != _FLOAT or not inputs[0].shape:
        raise ModelError(f"model {name!r} must have one input, of float32")
    size, *shape = inputs[0].shape
    if isinstance(size, int) and size != 1:
        raise ModelError(f"model {name!r} must take any number of inputs, or 1, but takes {size}")
    outputs = tuple(output.name for output in session.get_outputs() if output.type == _FLOAT)
    if not outputs:
        raise ModelError(f"model {name!r} has no float32 output")
    return _Ends(inputs[0].name, tuple(shape), size == 1, outputs)


def _digest(name: str, path: Path) -> str:
    """SHA-256 of the file: ONNX Runtime would run one with other weights without a word."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise ModelError(f"model {name!r} cannot be opened: its file is missing") from exc


def _options(threads: int, *, shares_memory: bool) -> ort.SessionOptions:
    """docs/inference.md has what each of these was measured to do."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Threads that spin while they wait take the cores from the other services of the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # What a session on a GPU takes goes with it, so it shares nothing.
    options.add_session_config_entry("session.use_env_allocators", "1" if shares_memory else "0")
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
