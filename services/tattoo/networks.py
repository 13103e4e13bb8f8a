"""The networks as ONNX: a MobileNetV2 from a package, and on top of it what we trained ourselves."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from chassis.models.graph import GraphWriter
from chassis.models.mobilenet_v2 import build_mobilenet_v2_features
from services.tattoo.box_network import build_box_network
from services.tattoo.detect import CELL, SIDE
from services.tattoo.pooled_network import add_pooled

__all__ = ["DIMENSION", "build_boxes", "build_detector", "build_embedder"]

DIMENSION = 512
"""Values of a tattoo vector."""

_CELLS = SIDE // CELL
_PREFIX = "head_"


def build_boxes(checkpoint: bytes) -> onnx.ModelProto:
    """Return picture (N, 3, H, W) -> `boxes` (N, 5, places); see `build_box_network`.

    `checkpoint`: MobileNetV2's weights; what we trained on them is `weights/boxes.npz`.
    """
    return build_box_network(checkpoint, _weights("boxes"))


def build_detector(checkpoint: bytes) -> onnx.ModelProto:
    """Return picture (N, 3, 320, 320) -> `heatmap` (N, 1, 20, 20): probability that a cell is tattooed.

    `checkpoint`: MobileNetV2's weights; the head on its features is `weights/detector.npz`.
    """
    weights = _weights("detector")
    writer = GraphWriter("tattoo_detector")
    hidden = _convolved(writer, "features", weights["w1"], weights["b1"], side=1)
    hidden = writer.add("Relu", hidden)
    hidden = _convolved(writer, hidden, weights["w2"], weights["b2"], side=3)
    hidden = writer.add("Relu", hidden)
    logits = _convolved(writer, hidden, weights["w3"], weights["b3"], side=1)
    writer.add("Sigmoid", logits, output="heatmap")
    channels = weights["w1"].shape[0]
    head = writer.finish({"features": ["N", channels, _CELLS, _CELLS]}, {"heatmap": ["N", 1, _CELLS, _CELLS]})
    return _joined(build_mobilenet_v2_features(checkpoint), head, input_shape=["N", 3, SIDE, SIDE])


def build_embedder(checkpoint: bytes) -> onnx.ModelProto:
    """Return crop (N, 3, 224, 224) -> `embedding` (N, 512), a unit vector.

    MobileNetV2's pooled vector (`add_pooled`) minus the mean over drawn tattoos, projected by
    `weights/embedder.npz`.
    """
    weights, writer = _weights("embedder"), GraphWriter("tattoo_embedder")
    pooled = add_pooled(writer, checkpoint, "input")
    centred = writer.add("Sub", pooled, writer.constant(weights["mean"]))
    projected = writer.add("MatMul", centred, writer.constant(weights["projection"]))
    writer.add("LpNormalization", projected, output="embedding", axis=1, p=2)
    return writer.finish({"input": ["N", 3, 224, 224]}, {"embedding": ["N", DIMENSION]})


def _convolved(
    writer: GraphWriter, name: str, weights: NDArray[np.float32], bias: NDArray[np.float32], *, side: int
) -> str:
    """A convolution from weights [side * side * inputs, outputs], taps row by row."""
    outputs = weights.shape[1]
    kernel = weights.reshape(side, side, -1, outputs).transpose(3, 2, 0, 1)
    shape: dict[str, Any] = {"kernel_shape": [side, side], "pads": [side // 2] * 4}
    return writer.add("Conv", name, writer.constant(kernel), writer.constant(bias), **shape)


def _joined(
    backbone: onnx.ModelProto, tail: onnx.ModelProto, *, input_shape: list[int | str]
) -> onnx.ModelProto:
    """Append `tail`, whose input is the backbone's output of the same name."""
    joint, results = tail.graph.input[0].name, [output.name for output in tail.graph.output]
    inner = {name for node in tail.graph.node for name in (*node.input, *node.output)} - {joint, *results}
    _rename(tail.graph, {name: _PREFIX + name for name in inner})
    graph = onnx.helper.make_graph(
        [*backbone.graph.node, *tail.graph.node],
        tail.graph.name,
        [onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, input_shape)],
        tail.graph.output,
        [*backbone.graph.initializer, *tail.graph.initializer],
    )
    model = onnx.helper.make_model(
        graph,
        opset_imports=backbone.opset_import,
        ir_version=backbone.ir_version,
        producer_name=backbone.producer_name,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    for node in graph.node:
        for place in (node.input, node.output):
            place[:] = [names.get(name, name) for name in place]
    for constant in graph.initializer:
        constant.name = names.get(constant.name, constant.name)
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)


@cache
def _weights(name: str) -> dict[str, NDArray[np.float32]]:
    data = (files("services.tattoo") / "weights" / f"{name}.npz").read_bytes()
    with np.load(BytesIO(data)) as stored:
        return {key: stored[key].astype(np.float32) for key in stored.files}
