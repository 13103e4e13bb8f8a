"""The proof that a model just built is valid, runs, and is what its spec says."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from chassis.errors import ModelError
from chassis.models.spec import InputSpec, ModelSpec

__all__ = ["check_model"]

# Two, so that a model with a hard-wired batch of one is found out.
_BATCH = 2
# Stands for a dynamic height or width.
_SIDE = 64


def check_model(path: Path, spec: ModelSpec) -> None:
    """Run the file once on blank input and compare its outputs with the spec.

    Raises ModelError when it is not valid ONNX, does not run, or has other outputs than described.
    """
    try:
        onnx.checker.check_model(str(path), full_check=True)
        shapes = _output_shapes(path, spec.input, [output.name for output in spec.outputs])
    except Exception as exc:
        # ONNX and ONNX Runtime raise many classes of their own, whose only common root is Exception.
        raise ModelError(f"model {spec.name} does not run after its conversion: {exc}") from exc
    for output in spec.outputs:
        if not _fits(shapes[output.name], (_BATCH, *output.shape)):
            raise ModelError(f"model {spec.name} gives {output.name} with shape {shapes[output.name]}")


def _output_shapes(path: Path, described: InputSpec, names: list[str]) -> dict[str, tuple[int, ...]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    sides = (_SIDE if isinstance(side, str) else side for side in described.shape)
    values: list[Any] = session.run(names, {"input": np.zeros((_BATCH, *sides), np.float32)})
    return {name: value.shape for name, value in zip(names, values, strict=True)}


def _fits(shape: tuple[int, ...], described: tuple[int | str, ...]) -> bool:
    return len(shape) == len(described) and all(
        isinstance(wanted, str) or wanted == size for size, wanted in zip(shape, described, strict=True)
    )
