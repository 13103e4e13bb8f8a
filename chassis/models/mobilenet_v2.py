"""MobileNetV2 as an ONNX graph, from a state dict with torchvision's names.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018), table 2. Batch
normalisation is folded into the convolution before it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from chassis.models.graph import GraphWriter
from chassis.models.torch_checkpoint import read_checkpoint

__all__ = [
    "Activations",
    "add_mobilenet_v2",
    "build_mobilenet_v2",
    "build_mobilenet_v2_features",
    "EMBEDDING_SIZE",
    "FEATURE_CHANNELS",
]

EMBEDDING_SIZE = 1280
FEATURE_CHANNELS = 576

# Expansion, output channels, repetitions and stride of the first: (t, c, n, s) in the paper.
_STAGES = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
]
_STEM_CHANNELS = 32
# The last blocks that read an image at stride 8, 16 and 32.
_FINE, _MIDDLE, _COARSE = 7, 14, 17
_EPSILON = 1e-5


def build_mobilenet_v2(checkpoint: bytes) -> onnx.ModelProto:
    """Return image (N, 3, 224, 224) -> `embedding` (N, 1280), the pooled last activation as a unit vector."""
    writer = GraphWriter("mobilenet_v2")
    network = _Network(read_checkpoint(checkpoint), writer)
    name = network.blocks(len(_blocks()), name="input")
    name = network.convolve(name, "features.18.0", "features.18.1")
    flat = writer.add("Flatten", writer.add("GlobalAveragePool", name))
    writer.add("LpNormalization", flat, output="embedding", axis=1, p=2)
    return writer.finish({"input": ["N", 3, 224, 224]}, {"embedding": ["N", EMBEDDING_SIZE]})


def build_mobilenet_v2_features(checkpoint: bytes) -> onnx.ModelProto:
    """Return image (N, 3, H, W) -> `features` (N, 576, ceil(H/16), ceil(W/16)), values 0..6.

    This is the expansion inside block 14, the deepest activation that still has stride 16.
    """
    writer = GraphWriter("mobilenet_v2_features")
    network = _Network(read_checkpoint(checkpoint), writer)
    features = network.expand(network.blocks(_MIDDLE - 1, name="input"), _MIDDLE)
    writer.add("Identity", features, output="features")
    return writer.finish(
        {"input": ["N", 3, "H", "W"]}, {"features": ["N", FEATURE_CHANNELS, "feature_H", "feature_W"]}
    )


class Activations(NamedTuple):
    """Names of what layers give, values 0..6.

    The first three are the expansions inside the last block that still has the stride, the widest of each, as
    in SSDLite (Sandler et al., 6.2).
    """

    fine: str
    """(N, 192, H/8, W/8)."""
    middle: str
    """(N, 576, H/16, W/16)."""
    coarse: str
    """(N, 960, H/32, W/32)."""
    last: str
    """(N, 1280, H/32, W/32)."""


def add_mobilenet_v2(writer: GraphWriter, checkpoint: bytes, image: str) -> Activations:
    """Write the network; what nobody needs of it, `writer` drops.

    image: (N, 3, H, W), ImageNet-normalised; H and W are multiples of 32.
    """
    network = _Network(read_checkpoint(checkpoint), writer)
    shallow = network.blocks(_FINE - 1, name=image)
    fine = network.expand(shallow, _FINE)
    deep = network.blocks(_MIDDLE - 1, done=_FINE - 1, name=shallow)
    middle = network.expand(deep, _MIDDLE)
    deeper = network.blocks(_COARSE - 1, done=_MIDDLE - 1, name=deep)
    coarse = network.expand(deeper, _COARSE)
    last = network.blocks(_COARSE, done=_COARSE - 1, name=deeper)
    return Activations(fine, middle, coarse, network.convolve(last, "features.18.0", "features.18.1"))


class _Network:
    """Writes the layers of one state dict."""

    def __init__(self, state: Mapping[str, NDArray[Any]], writer: GraphWriter) -> None:
        self.writer = writer
        self._state = state

    def blocks(self, count: int, *, name: str, done: int = 0) -> str:
        """Write the stem and the blocks up to `count`, and return the result's name.

        `done` of the blocks are there, and `name` is what the last of them gave.
        """
        if not done:
            name = self.convolve(name, "features.0.0", "features.0.1", stride=2)
        channels = _blocks()[done - 1][1] if done else _STEM_CHANNELS
        for index, (has_expansion, width, stride) in enumerate(_blocks()[done:count], start=done + 1):
            result = self._block(name, f"features.{index}.conv", has_expansion, stride)
            name = self.writer.add("Add", name, result) if stride == 1 and channels == width else result
            channels = width
        return name

    def expand(self, name: str, number: int) -> str:
        """Write the expansion of a block, whose input is `name`."""
        prefix = f"features.{number}.conv"
        return self.convolve(name, f"{prefix}.0.0", f"{prefix}.0.1")

    def _block(self, name: str, prefix: str, has_expansion: bool, stride: int) -> str:
        """An inverted residual: expand by 1x1, filter channels by 3x3, project by 1x1 without activation."""
        if has_expansion:
            name = self.convolve(name, f"{prefix}.0.0", f"{prefix}.0.1")
        depthwise = int(has_expansion)
        name = self.convolve(name, f"{prefix}.{depthwise}.0", f"{prefix}.{depthwise}.1", stride=stride)
        return self.convolve(
            name, f"{prefix}.{depthwise + 1}", f"{prefix}.{depthwise + 2}", is_activated=False
        )

    def convolve(self, name: str, conv: str, norm: str, *, stride: int = 1, is_activated: bool = True) -> str:
        """Write a convolution with its batch normalisation folded in, and ReLU6 unless told otherwise."""
        weights, bias = self._folded(conv, norm)
        outputs, inputs, height, width = weights.shape
        result = self.writer.add(
            "Conv", name, self.writer.constant(weights), self.writer.constant(bias),
            kernel_shape=[height, width], strides=[stride, stride], pads=[height // 2, width // 2] * 2,
            group=outputs if inputs == 1 else 1,
        )  # fmt: skip
        if not is_activated:
            return result
        low, high = (self.writer.constant(np.array(bound, np.float32)) for bound in (0, 6))
        return self.writer.add("Clip", result, low, high)

    def _folded(self, conv: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        gain, shift, mean, variance = (
            self._state[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + _EPSILON)
        weights = self._state[f"{conv}.weight"].astype(np.float64) * scale[:, None, None, None]
        return weights.astype(np.float32), (shift - mean * scale).astype(np.float32)


def _blocks() -> list[tuple[bool, int, int]]:
    """(has an expansion, output channels, stride) of each of the 17 blocks."""
    return [
        (expansion != 1, width, stride if repetition == 0 else 1)
        for expansion, width, repetitions, stride in _STAGES
        for repetition in range(repetitions)
    ]
