"""Small real ONNX models for tests, each for one behaviour."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

__all__ = ["Shape", "save", "arithmetic", "picky", "square_root", "count_of_batch", "lasting"]

Shape = Sequence[int | str | None]


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    *,
    takes: Shape,
    gives: dict[str, Shape],
    constants: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] | None = None,
    kind: int = onnx.TensorProto.FLOAT,
    more_inputs: Sequence[str] = (),
) -> Path:
    """Write a model with one input named `input` (and others of its shape, if named)."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(name, kind, list(takes)) for name in ("input", *more_inputs)],
        [helper.make_tensor_value_info(name, kind, list(shape)) for name, shape in gives.items()],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


def arithmetic(path: Path, *, batch: int | str = "n", size: int | str = 3) -> Path:
    """`doubled` = 2 x input; `total` = the sum of each row."""
    nodes = [
        helper.make_node("Add", ["input", "input"], ["doubled"]),
        helper.make_node("ReduceSum", ["input", "axes"], ["total"], keepdims=1),
    ]
    gives: dict[str, Shape] = {"doubled": [batch, size], "total": [batch, 1]}
    return save(path, nodes, takes=[batch, size], gives=gives, constants={"axes": np.array([1])})


def picky(path: Path) -> Path:
    """`found` = the input looked up in the table 10, 11, 12: a row that is no index 0 to 2 fails the run."""
    nodes = [
        helper.make_node("Cast", ["input"], ["index"], to=onnx.TensorProto.INT64),
        helper.make_node("Gather", ["table", "index"], ["found"]),
    ]
    table = np.array([10, 11, 12], np.float32)
    return save(path, nodes, takes=["n", 1], gives={"found": ["n", 1]}, constants={"table": table})


def square_root(path: Path) -> Path:
    """`root` = the square root of each value: NaN for a negative one."""
    return save(
        path, [helper.make_node("Sqrt", ["input"], ["root"])], takes=["n", "m"], gives={"root": ["n", "m"]}
    )


def count_of_batch(path: Path) -> Path:
    """`count` = for each row, how many rows ran together."""
    nodes = [
        helper.make_node("Shape", ["input"], ["length"], start=0, end=1),
        helper.make_node("Cast", ["length"], ["as_float"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", ["input", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "as_float"], ["count"]),
    ]
    zero = np.zeros(1, np.float32)
    return save(path, nodes, takes=["n", 1], gives={"count": ["n", 1]}, constants={"zero": zero})


def lasting(path: Path, *, products: int = 40) -> Path:
    """`same` = the input, after so many products of large matrices: 2 to 10 ms each."""
    side = 512
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["before", "matrix"], ["after"]),
            helper.make_node("Identity", ["go"], ["go_on"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("number", onnx.TensorProto.INT64, []),
            helper.make_tensor_value_info("go", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", onnx.TensorProto.FLOAT, [side, side]),
        ],
        [
            helper.make_tensor_value_info("go_on", onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", onnx.TensorProto.FLOAT, [side, side]),
        ],
    )
    nodes = [
        # It begins with the input, so that nobody can compute it in advance.
        helper.make_node("ReduceSum", ["input"], ["total"], keepdims=0),
        helper.make_node("Mul", ["total", "matrix"], ["start"]),
        helper.make_node("Loop", ["times", "", "start"], ["end"], body=body),
        helper.make_node("ReduceMax", ["end"], ["largest"], keepdims=0),
        helper.make_node("Mul", ["largest", "nothing"], ["zero"]),
        helper.make_node("Add", ["input", "zero"], ["same"]),
    ]
    constants: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
        "matrix": np.full((side, side), 1 / side, np.float32),
        "times": np.array(products, np.int64),
        "nothing": np.array(0, np.float32),
    }
    return save(path, nodes, takes=["n", 1], gives={"same": ["n", 1]}, constants=constants)
