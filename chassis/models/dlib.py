"""dlib's face recognition network as an ONNX graph, from its own file format.

Source: `serialize` in dlib's dnn/core.h, dnn/layers.h and dnn/tensor_tools.h, and the network `anet_type` of
dnn_face_recognition_ex.cpp: a ResNet-29 with 128 outputs.

A .dat file nests the layers from the input outwards and stores much that inference does not need. Each layer
with weights begins with its tag, a text after its length: the reader looks for tags and reads what follows.
That is safe because a file is used only when its sha256 is the pinned one.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.models.graph import GraphWriter

__all__ = ["build_dlib_resnet", "read_layers", "DlibLayer"]

_TAG = re.compile(rb"con_\d?|affine_\d?|fc_(?:no_bias)?\d?")
_TENSOR_VERSION = 2
_INPUT_SIZE, _EMBEDDING_SIZE = 150, 128
# Means of the input layer, red, green, blue, and its divisor.
_MEANS, _DIVISOR = (122.782, 117.001, 104.298), 256.0
# (channels, halves the picture) of each residual block, from the input on.
_BLOCKS = [(32, False)] * 3 + [(64, True)] + [(64, False)] * 3 + [(128, True)] + [(128, False)] * 2
_BLOCKS += [(256, True)] + [(256, False)] * 2 + [(256, True)]


@dataclass(frozen=True, slots=True)
class DlibLayer:
    """A layer with weights: "con", "affine" or "fc", its flat weights and the integers that describe it."""

    kind: str
    weights: NDArray[np.float32]
    numbers: tuple[int, ...]
    """con: filters, rows, columns, stride y, x, padding y, x. fc: outputs, inputs. affine: none."""


def read_layers(data: bytes) -> list[DlibLayer]:
    """Return the layers with weights of a .dat file, from the input on.

    Raises ModelError when there are none.
    """
    layers = [layer for match in _TAG.finditer(data) if (layer := _layer(data, match)) is not None]
    if not layers:
        raise ModelError("not a network in dlib's format")
    return layers


def build_dlib_resnet(data: bytes) -> onnx.ModelProto:
    """Return image (N, 3, 150, 150), RGB 0..255 -> `embedding` (N, 128), not normalised.

    Raises ModelError when the layers are not those of the face recognition network.
    """
    network = _Network(read_layers(data))
    network.input_layer()
    network.stem()
    for channels, is_halving in _BLOCKS:
        network.residual(channels, is_halving)
    network.head()
    return network.finish()


def _layer(data: bytes, match: re.Match[bytes]) -> DlibLayer | None:
    """Read the layer behind a tag, or None where the bytes only look like one."""
    name, reader = match.group(), _Reader(data, match.end())
    if data[match.start() - 2 : match.start()] != bytes([1, len(name)]):
        return None
    if name.startswith(b"fc"):
        numbers = tuple(reader.integer() for _ in range(2))
        return DlibLayer("fc", reader.tensor(), numbers)
    weights = reader.tensor()
    if name.startswith(b"affine"):
        return DlibLayer("affine", weights, ())
    return DlibLayer("con", weights, tuple(reader.integer() for _ in range(7)))


class _Reader:
    """dlib's numbers: an integer is a byte of length and sign, then little-endian bytes; floats are plain."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self._position = data, position

    def integer(self) -> int:
        control = self._data[self._position]
        start, length = self._position + 1, control & 0x0F
        self._position = start + length
        value = int.from_bytes(self._data[start : self._position], "little")
        return -value if control & 0x80 else value

    def tensor(self) -> NDArray[np.float32]:
        if self.integer() != _TENSOR_VERSION:
            raise ModelError("a dlib tensor of an unknown version")
        size = math.prod(self.integer() for _ in range(4))
        if self._position + 4 * size > len(self._data):
            raise ModelError("a dlib tensor is cut off")
        values = np.frombuffer(self._data, "<f4", size, self._position)
        self._position += values.nbytes
        return values


class _Network:
    """Writes the graph layer by layer; knows name, channels and size (rows = columns) of the last result."""

    def __init__(self, layers: list[DlibLayer]) -> None:
        self._layers: Iterator[DlibLayer] = iter(layers)
        self._writer = GraphWriter("dlib_resnet")
        self._name, self._channels, self._size = "input", 3, _INPUT_SIZE

    def input_layer(self) -> None:
        means = self._writer.constant(np.array(_MEANS, np.float32).reshape(1, 3, 1, 1))
        centred = self._writer.add("Sub", self._name, means)
        self._name = self._writer.add(
            "Mul", centred, self._writer.constant(np.array(1 / _DIVISOR, np.float32))
        )

    def stem(self) -> None:
        self._convolve(is_activated=True)
        self._name = self._writer.add("MaxPool", self._name, kernel_shape=[3, 3], strides=[2, 2])
        self._size = (self._size - 3) // 2 + 1

    def residual(self, channels: int, is_halving: bool) -> None:
        """Two convolutions beside a shortcut, which is average-pooled where the picture is halved.

        dlib adds tensors of unlike sizes as if both had zeros up to the larger one.
        """
        shortcut, shortcut_channels, shortcut_size = self._name, self._channels, self._size
        self._convolve(is_activated=True)
        self._convolve(is_activated=False)
        if is_halving:
            shortcut = self._writer.add("AveragePool", shortcut, kernel_shape=[2, 2], strides=[2, 2])
            shortcut_size = (shortcut_size - 2) // 2 + 1
        size = max(self._size, shortcut_size)
        left = self._grow(self._name, 0, size - self._size)
        right = self._grow(shortcut, channels - shortcut_channels, size - shortcut_size)
        self._name, self._size = self._writer.add("Relu", self._writer.add("Add", left, right)), size

    def head(self) -> None:
        layer = self._next("fc")
        if layer.numbers != (_EMBEDDING_SIZE, self._channels):
            raise ModelError(f"the last dlib layer is {layer.numbers}")
        flat = self._writer.add("Flatten", self._writer.add("GlobalAveragePool", self._name))
        weights = self._writer.constant(layer.weights.reshape(self._channels, _EMBEDDING_SIZE))
        self._writer.add("MatMul", flat, weights, output="embedding")

    def finish(self) -> onnx.ModelProto:
        if next(self._layers, None) is not None:
            raise ModelError("the dlib network has more layers than expected")
        side = _INPUT_SIZE
        return self._writer.finish({"input": ["N", 3, side, side]}, {"embedding": ["N", _EMBEDDING_SIZE]})

    def _convolve(self, *, is_activated: bool) -> None:
        """Write a convolution with the affine layer behind it folded in."""
        weights, bias, (stride, padding) = self._folded()
        side = weights.shape[2]
        name = self._writer.add(
            "Conv", self._name, self._writer.constant(weights), self._writer.constant(bias),
            kernel_shape=[side, side], strides=[stride] * 2, pads=[padding] * 4,
        )  # fmt: skip
        self._name = self._writer.add("Relu", name) if is_activated else name
        self._channels = weights.shape[0]
        self._size = (self._size + 2 * padding - side) // stride + 1

    def _folded(self) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[int, int]]:
        convolution, affine = self._next("con"), self._next("affine")
        filters, rows, columns, stride, _, padding, _ = convolution.numbers
        kernel_size = filters * self._channels * rows * columns
        if convolution.weights.size != kernel_size + filters or affine.weights.size != 2 * filters:
            raise ModelError("a dlib convolution has an unexpected number of weights")
        kernel = convolution.weights[:kernel_size].reshape(filters, self._channels, rows, columns)
        scale, shift = affine.weights.astype(np.float64).reshape(2, filters)
        weights = kernel * scale[:, None, None, None]
        bias = convolution.weights[kernel_size:] * scale + shift
        return weights.astype(np.float32), bias.astype(np.float32), (stride, padding)

    def _next(self, kind: str) -> DlibLayer:
        layer = next(self._layers, None)
        if layer is None or layer.kind != kind:
            raise ModelError(
                f"the dlib network has {layer.kind if layer else 'no'} layer where {kind} is expected"
            )
        return layer

    def _grow(self, name: str, channels: int, pixels: int) -> str:
        if channels == pixels == 0:
            return name
        ends = np.array([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)
        return self._writer.add("Pad", name, self._writer.constant(ends))
