"""Real ONNX files with the input and output of YOLO exports, which find the boxes that they are told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

__all__ = ["SpokenBox", "Layout", "predictions", "yolo_export"]

Layout = Literal["v5", "v8"]

_PLACES = {"v5": 25200, "v8": 8400}


@dataclass(frozen=True, slots=True)
class SpokenBox:
    """A box in pixels of the 640 x 640 input, and the probability of one class."""

    x: float
    y: float
    width: float
    height: float
    score: float
    class_index: int = 0
    objectness: float = 1.0
    """YOLOv5 only."""


def predictions(layout: Layout, boxes: Sequence[SpokenBox], *, classes: int = 1) -> NDArray[np.float32]:
    """The output that says `boxes`, spread over all places, and nothing elsewhere."""
    head = 5 if layout == "v5" else 4
    rows = np.zeros((_PLACES[layout], head + classes), np.float32)
    for place, box in zip(np.linspace(0, len(rows) - 1, len(boxes)).astype(int), boxes, strict=True):
        rows[place, :4] = box.x, box.y, box.width, box.height
        rows[place, head + box.class_index] = box.score
        if layout == "v5":
            rows[place, 4] = box.objectness
    return rows[None] if layout == "v5" else np.ascontiguousarray(rows.T)[None]


def yolo_export(
    path: Path, output: NDArray[np.float32], *, batch: int | str = 1, lit: bool = False, further: bool = False
) -> Path:
    """`images` (batch, 3, 640, 640) -> `output0`, which is `output` for every picture.

    lit: all of it times the mean of the input's red, which is 1 for a picture of 640 x 640 red pixels.
    further: with the raw grids, 1 x 3 x 80 x 80 x 6, as a second output, as old exports have.
    """
    shape = list(output.shape)
    nodes = [
        helper.make_node("Slice", ["images", "zero", "one", "channels"], ["red"]),
        helper.make_node("ReduceMean", ["red"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Reshape", ["mean", "flat"], ["light"]),
        helper.make_node("Mul", ["light", "nothing"], ["dark"]),
        helper.make_node("Add", ["dark", "unit"], ["factor"]) if not lit else _renamed("light", "factor"),
        helper.make_node("Mul", ["factor", "said"], ["output0"]),
    ]
    constants = {
        "zero": np.array([0]),
        "one": np.array([1]),
        "channels": np.array([1]),
        "flat": np.array([-1] + [1] * (len(shape) - 1)),
        "nothing": np.zeros(1, np.float32),
        "unit": np.ones(1, np.float32),
        "said": output,
    }
    outputs = [("output0", [batch, *shape[1:]])]
    if further:
        constants["grids"] = np.zeros((1, 3, 80, 80, 6), np.float32)
        nodes.append(helper.make_node("Identity", ["grids"], ["onnx::Sigmoid_300"]))
        outputs.append(("onnx::Sigmoid_300", [1, 3, 80, 80, 6]))
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [batch, 3, 640, 640])],
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sizes) for name, sizes in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def _renamed(before: str, after: str) -> onnx.NodeProto:
    return helper.make_node("Identity", [before], [after])
