"""Committed ONNX files: half the size, because their large constants are stored in half precision."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from chassis.errors import ModelError

__all__ = ["widened"]


def widened(data: bytes) -> onnx.ModelProto:
    """Return the model of a committed file with all its constants in single precision, as it runs.

    Raises ModelError for bytes that are no valid model.
    """
    try:
        model = onnx.load_from_string(data)
        for constant in model.graph.initializer:
            if constant.data_type == onnx.TensorProto.FLOAT16:
                wide = numpy_helper.to_array(constant).astype(np.float32)
                constant.CopyFrom(numpy_helper.from_array(wide, constant.name))
        onnx.checker.check_model(model, full_check=True)
    except Exception as exc:  # protobuf's and the checker's errors have no common base class
        raise ModelError("a committed model is damaged") from exc
    return model
