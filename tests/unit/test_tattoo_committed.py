"""Committed models: stored in half precision, run in single."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from chassis.errors import ModelError
from services.tattoo.committed import widened
from tests.fakes.onnx_models import save


def test_a_file_in_half_precision_runs_in_single(tmp_path: Path) -> None:
    """Constants become float32 with the values that were stored; others stay as they are."""
    weights = np.array([[0.1, 1.0], [2.0, -3.0]], np.float32)
    file = save(
        tmp_path / "m.onnx",
        [
            helper.make_node("MatMul", ["input", "weights"], ["product"]),
            helper.make_node("Reshape", ["product", "shape"], ["out"]),
        ],
        takes=["n", 2],
        gives={"out": ["n", 2]},
        constants={"weights": weights, "shape": np.array([-1, 2])},
    )
    model = onnx.load(str(file))
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights.astype(np.float16), "weights"))
    wide = widened(model.SerializeToString())
    assert [one.data_type for one in wide.graph.initializer] == [
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT64,
    ]
    session = onnxruntime.InferenceSession(wide.SerializeToString())
    [out] = session.run(None, {"input": np.array([[1, 1]], np.float32)})
    assert out == pytest.approx(np.array([[np.float32(np.float16(0.1)) + 2, -2]]))


@pytest.mark.parametrize("data", [b"", b"no model", b"\x08"])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    """With the project's own error."""
    with pytest.raises(ModelError, match="damaged"):
        widened(data)
