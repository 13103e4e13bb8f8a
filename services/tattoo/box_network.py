"""The network of boxes as ONNX: MobileNetV2 from a package, a neck and a head that we trained ourselves.

Sources: for the neck Liu et al., "Path Aggregation Network for Instance Segmentation" (2018), for the head Ge
et al., "YOLOX: Exceeding YOLO Series in 2021" (2021).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from chassis.models.graph import GraphWriter
from chassis.models.mobilenet_v2 import add_mobilenet_v2

__all__ = ["build_box_network"]

_STRIDES = (8, 16, 32)
"""Pixels of the input for a cell of each level."""
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
# The exponential of more would be larger than any picture.
_LARGEST_EXPONENT = 6.0


def build_box_network(checkpoint: bytes, head: Mapping[str, NDArray[np.float32]]) -> onnx.ModelProto:
    """Return picture (N, 3, H, W), values 0..1, sides multiples of 32, -> `boxes` (N, 5, places).

    checkpoint: MobileNetV2's weights; head: those of `weights/boxes.npz`, by layer. A place has centre x,
    centre y, width and height in pixels of the input, and a probability. Places go by stride, 8, 16 and 32,
    then row by row: for 640 x 640 pixels the output is that of a YOLOv8 export with one class.
    """
    writer = GraphWriter("tattoo_boxes")
    mean, deviation = (
        writer.constant(np.array(values, np.float32).reshape(1, 3, 1, 1)) for values in (_MEAN, _DEVIATION)
    )
    picture = writer.add("Div", writer.add("Sub", "input", mean), deviation)
    layers = _Layers(writer, head)
    activations = add_mobilenet_v2(writer, checkpoint, picture)
    fine, middle, coarse = (
        layers.activated(name, f"lateral.{index}") for index, name in enumerate(activations[:3])
    )
    middle = layers.separable(writer.add("Add", middle, layers.doubled(coarse)), "down.0")
    fine = layers.separable(writer.add("Add", fine, layers.doubled(middle)), "down.1")
    middle = writer.add("Add", middle, layers.separable(fine, "shrink.0", stride=2))
    middle = layers.separable(middle, "up.0")
    coarse = writer.add("Add", coarse, layers.separable(middle, "shrink.1", stride=2))
    coarse = layers.separable(coarse, "up.1")
    places = []
    for index, level in enumerate((fine, middle, coarse)):
        hidden = layers.separable(layers.separable(level, f"towers.{index}.0"), f"towers.{index}.1")
        score = writer.add("Sigmoid", layers.convolved(hidden, f"scores.{index}"))
        places.append(_decoded(writer, layers.convolved(hidden, f"sides.{index}"), score, _STRIDES[index]))
    writer.add("Concat", *places, axis=2, output="boxes")
    return writer.finish({"input": ["N", 3, "H", "W"]}, {"boxes": ["N", 5, "places"]})


def _decoded(writer: GraphWriter, sides: str, score: str, stride: int) -> str:
    """Centre, size and score (N, 5, places); sides: logarithms of distances in strides (N, 4, ...)."""

    def number(value: float) -> str:
        return writer.constant(np.array(value, np.float32))

    lengths = writer.add("Exp", writer.add("Min", sides, number(_LARGEST_EXPONENT)))
    left, top, right, bottom = (
        writer.add("Slice", lengths, *(writer.constant(np.array([at], np.int64)) for at in (i, i + 1, 1)))
        for i in range(4)
    )
    # Counting along rows and columns gives the middles of the cells, whatever the size.
    one = writer.add("Add", writer.add("Mul", score, number(0)), number(1))
    parts = []
    for axis, less, more in ((3, left, right), (2, top, bottom)):
        count = writer.add("CumSum", one, writer.constant(np.array(axis, np.int64)))
        middle = writer.add("Sub", count, number(0.5))
        offset = writer.add("Mul", writer.add("Sub", more, less), number(0.5))
        parts.append(writer.add("Mul", writer.add("Add", middle, offset), number(stride)))
    parts += [
        writer.add("Mul", writer.add("Add", less, more), number(stride))
        for less, more in ((left, right), (top, bottom))
    ]
    joined = writer.add("Concat", *parts, score, axis=1)
    return writer.add("Reshape", joined, writer.constant(np.array([0, 5, -1], np.int64)))


class _Layers:
    """Writes the layers of the head, whose normalisation is folded into their weights."""

    def __init__(self, writer: GraphWriter, head: Mapping[str, NDArray[np.float32]]) -> None:
        self._writer = writer
        self._head = head

    def separable(self, name: str, layer: str, *, stride: int = 1) -> str:
        """3 x 3 a channel, then 1 x 1, each activated."""
        return self.activated(self.activated(name, f"{layer}.0", stride=stride), f"{layer}.1")

    def activated(self, name: str, layer: str, *, stride: int = 1) -> str:
        """A convolution and hard swish (Howard et al. 2019)."""
        result = self.convolved(name, layer, stride=stride)
        gate = self._writer.add("HardSigmoid", result, alpha=1 / 6, beta=0.5)
        return self._writer.add("Mul", result, gate)

    def convolved(self, name: str, layer: str, *, stride: int = 1) -> str:
        """A convolution."""
        weights, bias = self._head[f"{layer}.weight"], self._head[f"{layer}.bias"]
        outputs, inputs, side, _ = weights.shape
        return self._writer.add(
            "Conv", name, self._writer.constant(weights), self._writer.constant(bias),
            kernel_shape=[side, side], strides=[stride, stride], pads=[side // 2] * 4,
            group=outputs if inputs == 1 and side > 1 else 1,
        )  # fmt: skip

    def doubled(self, name: str) -> str:
        """Each cell four times."""
        scales = self._writer.constant(np.array([1, 1, 2, 2], np.float32))
        return self._writer.add(
            "Resize", name, "", scales, mode="nearest", coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )  # fmt: skip
