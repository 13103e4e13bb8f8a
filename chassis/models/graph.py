"""A small writer of ONNX graphs: constants, operators, pruning and the final check."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["GraphWriter", "Shape"]

Shape = Sequence[int | str]
"""Dimensions of an input or output; a string is a dynamic one, such as "N" for the batch."""

# Old enough for every ONNX Runtime and Triton in use, and new enough for all operators written here.
_OPSET = 13
_IR_VERSION = 8


class GraphWriter:
    """Collects nodes and constants under generated names and turns them into a checked model."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._shared: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def __repr__(self) -> str:
        return f"<GraphWriter {self._name}: {len(self._nodes)} nodes, {len(self._constants)} constants>"

    def constant(self, value: NDArray[Any]) -> str:
        """Store an array once and return its name; equal arrays share one name."""
        array = np.ascontiguousarray(value)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._shared:
            name = f"constant_{len(self._constants)}"
            self._constants[name] = numpy_helper.from_array(array, name)
            self._shared[key] = name
        return self._shared[key]

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Append one operator with one output and return the name of that output."""
        name = output or f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def finish(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> onnx.ModelProto:
        """Drop what no output needs and return the model.

        Inputs and outputs are float32. Raises onnx.checker.ValidationError when the graph is not valid ONNX.
        """
        nodes = self._needed_nodes(set(outputs))
        used = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes,
            self._name,
            [_value(name, shape) for name, shape in inputs.items()],
            [_value(name, shape) for name, shape in outputs.items()],
            [tensor for name, tensor in self._constants.items() if name in used],
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="marquee",
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def _needed_nodes(self, wanted: set[str]) -> list[onnx.NodeProto]:
        needed: list[onnx.NodeProto] = []
        for node in reversed(self._nodes):
            if wanted.intersection(node.output):
                needed.append(node)
                wanted.update(node.input)
        return needed[::-1]


def _value(name: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
