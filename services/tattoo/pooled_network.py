"""What MobileNetV2 sees in a crop, deep and less deep, pooled: what the embedder projects."""

from __future__ import annotations

import onnx

from chassis.models.graph import GraphWriter
from chassis.models.mobilenet_v2 import add_mobilenet_v2

__all__ = ["POOLED", "add_pooled", "build_pooled"]

POOLED = 1280 + 960 + 576 + 192
"""Values of a pooled vector."""
_SIDE = 224


def add_pooled(writer: GraphWriter, checkpoint: bytes, crop: str) -> str:
    """Write the network and return the name of the pooled vector (N, POOLED).

    crop: (N, 3, 224, 224), ImageNet-normalised. Of the last activation, and of the expansions at strides 32,
    16 and 8, the mean over all places as a unit vector each.
    """
    activations = add_mobilenet_v2(writer, checkpoint, crop)
    parts = (activations.last, activations.coarse, activations.middle, activations.fine)
    means = [writer.add("Flatten", writer.add("GlobalAveragePool", part)) for part in parts]
    return writer.add("Concat", *(writer.add("LpNormalization", mean, axis=1, p=2) for mean in means), axis=1)


def build_pooled(checkpoint: bytes) -> onnx.ModelProto:
    """Return crop (N, 3, 224, 224) -> `pooled` (N, POOLED); checkpoint: MobileNetV2's weights."""
    writer = GraphWriter("pooled")
    writer.add("Identity", add_pooled(writer, checkpoint, "input"), output="pooled")
    return writer.finish({"input": ["N", 3, _SIDE, _SIDE]}, {"pooled": ["N", POOLED]})
