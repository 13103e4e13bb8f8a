"""From a trained network to the file that is committed: ONNX, its large constants in half precision."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

__all__ = ["to_onnx", "halved"]

_OPSET = 13
# Smaller constants, such as biases, stay as they are: they cost nothing.
_LARGE = 256


def to_onnx(network: nn.Module, example: torch.Tensor, *, outputs: list[str]) -> onnx.ModelProto:
    """Return a checked graph with one input, `input`; its first dimension and that of outputs is free."""
    names: Mapping[str, Mapping[int, str]] = {name: {0: "N"} for name in ("input", *outputs)}
    written = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (example,),
            written,
            dynamo=False,
            input_names=["input"],
            output_names=outputs,
            dynamic_axes=names,
            opset_version=_OPSET,
            do_constant_folding=True,
        )
    model = onnx.load_from_string(written.getvalue())
    onnx.checker.check_model(model, full_check=True)
    return model


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose large constants are float16, half the size; `widened` undoes it."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    for constant in small.graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32 and values.size >= _LARGE:
            constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), constant.name))
    return small
