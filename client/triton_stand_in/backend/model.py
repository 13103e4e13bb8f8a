"""A Triton backend in Python that runs ONNX files, as the C++ `onnxruntime` of NVIDIA's container does.

Triton's python backend looks for `model.py` in a backend's folder and makes the class below once per instance
of each model, so any `backend: "onnxruntime"` model of an unchanged repository is loaded through it. Like the
C++ backend it refuses, at load, a configuration that does not agree with the file. It runs in the stand-in's
own environment and imports nothing of Marquee.

Tensors come and go by DLPack. `Tensor.as_numpy` is never used: the stub was compiled against NumPy 1, and
with NumPy 2 its arrays hold wrong numbers without an error.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

_TYPES = {"tensor(float)": "TYPE_FP32"}
_ERRORS_ONLY = 3
# Inputs of one run, as when models run inside the services.
_LARGEST_RUN = 4
_TAKEN = b"used_dltensor"
_SET_NAME = ctypes.pythonapi.PyCapsule_SetName
_SET_NAME.argtypes = [ctypes.py_object, ctypes.c_char_p]


class TritonPythonModel:
    """One instance of one model."""

    @staticmethod
    def auto_complete_config(config: Any) -> Any:
        """Our configurations are complete; nothing is guessed."""
        return config

    def initialize(self, args: dict[str, str]) -> None:
        """Open the file and compare it with the configuration. Raises TritonModelException."""
        config = json.loads(args["model_config"])
        try:
            self._session = _opened(config)
        except Exception as exc:  # ONNX Runtime's errors have no common base class
            raise triton.TritonModelException(f"the ONNX file cannot be opened: {exc}") from exc
        self._is_batched = config["max_batch_size"] > 0
        self._inputs = [one.name for one in self._session.get_inputs()]
        self._outputs = [one.name for one in self._session.get_outputs()]
        _check("input", config["input"], self._session.get_inputs(), self._is_batched)
        _check("output", config["output"], self._session.get_outputs(), self._is_batched)

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """One response for each request; requests of one shape run as one batch."""
        feeds = [_feed(request) for request in requests]
        responses: list[Any] = [None] * len(requests)
        for members in self._groups(feeds):
            try:
                answers = self._run([feeds[index] for index in members])
            except Exception as exc:  # a batch that fails must not end the process, and all others with it
                error = triton.TritonError(f"onnx runtime: {exc}", triton.TritonError.INTERNAL)
                answers = [triton.InferenceResponse(error=error) for _ in members]
            for index, answer in zip(members, answers, strict=True):
                responses[index] = answer
        return responses

    def finalize(self) -> None:
        """Called when the model is unloaded."""
        del self._session

    def _groups(self, feeds: Sequence[Arrays]) -> list[list[int]]:
        """Indices of the requests that can run together."""
        if not self._is_batched:
            return [[index] for index in range(len(feeds))]
        groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
        for index, feed in enumerate(feeds):
            groups.setdefault(tuple(feed[name].shape[1:] for name in self._inputs), []).append(index)
        return list(groups.values())

    def _run(self, feeds: Sequence[Arrays]) -> list[Any]:
        outputs = self._outputs_of({name: _joined([feed[name] for feed in feeds]) for name in self._inputs})
        if len(feeds) == 1:
            return [self._response(outputs)]
        ends = np.cumsum([len(feed[self._inputs[0]]) for feed in feeds])[:-1]
        split = [np.split(output, ends) for output in outputs]
        return [self._response([parts[index] for parts in split]) for index in range(len(feeds))]

    def _outputs_of(self, feed: Arrays) -> list[NDArray[np.float32]]:
        """Large batches in portions: on a CPU they gain nothing, and would only take memory."""
        count = len(feed[self._inputs[0]])
        if not self._is_batched or count <= _LARGEST_RUN:
            return list(self._session.run(self._outputs, feed))
        starts = range(0, count, _LARGEST_RUN)
        portions = [
            {name: value[start : start + _LARGEST_RUN] for name, value in feed.items()} for start in starts
        ]
        runs = [self._session.run(self._outputs, portion) for portion in portions]
        return [np.concatenate(parts) for parts in zip(*runs, strict=True)]

    def _response(self, outputs: Sequence[NDArray[np.float32]]) -> Any:
        tensors = [_tensor(name, output) for name, output in zip(self._outputs, outputs, strict=True)]
        return triton.InferenceResponse(tensors)


def _tensor(name: str, output: NDArray[np.float32]) -> Any:
    capsule = np.ascontiguousarray(output).__dlpack__()
    tensor = triton.Tensor.from_dlpack(name, capsule)
    # Triton gives a capsule that it took a name of its own; NumPy looks for the standard's, and complains.
    _SET_NAME(capsule, _TAKEN)
    return tensor


def _feed(request: Any) -> Arrays:
    return {tensor.name(): np.from_dlpack(tensor) for tensor in request.inputs()}


def _joined(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _opened(config: dict[str, Any]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    threads = config["parameters"].get("intra_op_thread_count", {}).get("string_value")
    if threads:
        options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(_model_file(), options, providers=["CPUExecutionProvider"])


def _model_file() -> str:
    """Triton starts the stub with the path of the version's file as its first argument."""
    return Path("/proc/self/cmdline").read_bytes().split(b"\0")[1].decode()


def _check(kind: str, declared: Sequence[Any], actual: Sequence[Any], is_batched: bool) -> None:
    """Raise TritonModelException unless names, types and shapes of configuration and file agree."""
    batch = [-1] if is_batched else []
    told = {one["name"]: (one["data_type"], batch + _sides(one["dims"])) for one in declared}
    read = {one.name: (_TYPES.get(one.type, one.type), _sides(one.shape)) for one in actual}
    if told != read:
        raise triton.TritonModelException(f"the configuration has {kind}s {told}, the file has {read}")


def _sides(shape: Sequence[int | str | None]) -> list[int]:
    """Dimensions as numbers, -1 where any is accepted."""
    return [side if isinstance(side, int) and side > 0 else -1 for side in map(_number, shape)]


def _number(side: int | str | None) -> int | None:
    """A configuration, read from JSON, may give its numbers as text."""
    return int(side) if str(side).lstrip("-").isdecimal() else None  # type: ignore[arg-type] # it is a number
