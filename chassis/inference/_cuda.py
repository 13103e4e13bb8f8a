"""Whether CUDA can be used, found out by using it, and if not why, in words."""

from __future__ import annotations

import contextlib
import ctypes
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort

__all__ = ["CPU_PROVIDER", "CUDA_PROVIDER", "Provider", "first_line", "has_cuda", "problem_with"]

Provider = str | tuple[str, dict[str, str]]
"""What runs a model, by ONNX Runtime's name for it, with options or without."""

CPU_PROVIDER = "CPUExecutionProvider"
CUDA_PROVIDER = "CUDAExecutionProvider"

_DRIVER = "libcuda.so.1"
_WARNINGS, _NOTHING = 2, 4  # severities of ONNX Runtime's own log
_LONGEST = 200


def has_cuda() -> bool:
    """Whether this build of ONNX Runtime has CUDA; not whether the machine has."""
    return CUDA_PROVIDER in ort.get_available_providers()


def problem_with(providers: list[Provider]) -> str:
    """Why a small convolution does not run on CUDA, the first of `providers`; "" when it does.

    CUDA libraries that were installed by pip are loaded first. What ONNX Runtime would print is not printed.
    """
    with _quiet():
        try:
            _load_pip_libraries()
            session = ort.InferenceSession(_convolution(), providers=providers, enable_fallback=0)
            if session.get_providers()[0] != CUDA_PROVIDER:
                return _what_is_missing()
            session.run(None, {"input": np.ones((1, 1, 3, 3), np.float32)})
        except Exception as exc:  # ONNX Runtime's errors have no common base class
            return first_line(exc)
    return ""


def first_line(error: Exception) -> str:
    """What an error of ONNX Runtime says, without the stack that it may bring; never empty."""
    return str(error).strip().partition("\n")[0][:_LONGEST] or type(error).__name__


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Neither ONNX Runtime nor its Python part writes: the caller says the one thing that there is to say."""
    ort.set_default_logger_severity(_NOTHING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        ort.set_default_logger_severity(_WARNINGS)


def _load_pip_libraries() -> None:
    """Else they are found only by LD_LIBRARY_PATH. A build of the owner's may be too old to have it."""
    if preload := getattr(ort, "preload_dlls", None):
        preload()


def _what_is_missing() -> str:
    """ONNX Runtime only says that CUDA did not load; the system's loader says what it did not find."""
    if problem := _loading(_DRIVER):
        return f"there is no NVIDIA driver ({problem})"
    problem = _loading(str(Path(ort.__file__).parent / "capi" / "libonnxruntime_providers_cuda.so"))
    return f"a library of CUDA is missing ({problem})" if problem else "ONNX Runtime did not say why"


def _loading(library: str) -> str:
    try:
        ctypes.CDLL(library)
    except OSError as exc:
        return first_line(exc)
    return ""


def _convolution() -> bytes:
    """A model that needs what ours do: CUDA, cuDNN, code for this GPU. `output` = the sum of 3 x 3 values."""
    from onnx import TensorProto, helper, numpy_helper  # takes 0.3 s, which processes without a GPU save

    ones = numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "ones")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["input", "ones"], ["output"])],
        "probe",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 1, 3, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, 1])],
        [ones],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())
