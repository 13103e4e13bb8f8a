"""What is known while a graph is converted: constant values, names of computed tensors, shapes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.models.graph import GraphWriter
from chassis.models.tflite.file import TfliteFile

__all__ = ["Conversion", "TO_NCHW", "TO_NHWC"]

TO_NCHW, TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


class Conversion:
    """The state of one conversion. A tensor has either a value or, once it is computed, a name."""

    def __init__(self, file: TfliteFile, name: str) -> None:
        self.file = file
        self.writer = GraphWriter(name)
        self.values: dict[int, NDArray[Any]] = {
            number: tensor.value for number, tensor in enumerate(file.tensors) if tensor.value is not None
        }
        self.names: dict[int, str] = {}
        """ONNX names; tensors of rank 4 are NCHW."""
        self.padded: dict[int, tuple[str, list[int]]] = {}
        """Results of PAD that are the named tensor with (top, left, bottom, right) zeros around it."""

    @property
    def batch(self) -> int:
        """The batch that the file has hard-wired."""
        return self.shape(self.file.inputs[0])[0]

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return the shape in the file: NHWC, with the hard-wired batch."""
        return self.file.tensors[tensor].shape

    def constant(self, tensor: int) -> NDArray[Any]:
        """Return the value of a constant. Raises ModelError when the tensor is computed."""
        if tensor not in self.values:
            raise ModelError(f"{self.file.tensors[tensor].name} is computed where a constant is needed")
        return self.values[tensor]

    def operand(self, tensor: int, rank: int) -> str:
        """Name an operand of an operator whose result has this rank; constants get the form for NCHW."""
        if tensor in self.names:
            return self.names[tensor]
        value = self.constant(tensor)
        return self.writer.constant(channels_first(value) if rank == 4 else value)

    def channels_last(self, tensor: int) -> str:
        """Name the tensor in the order of the file; where there is one pixel, both orders are the same."""
        shape, name = self.shape(tensor), self.names[tensor]
        if len(shape) != 4 or shape[1] == shape[2] == 1:
            return name
        return self.writer.add("Transpose", name, perm=TO_NHWC)

    def batch_and(self, shape: Sequence[int | str]) -> str:
        """Name a target for Reshape that keeps the batch: ONNX copies a dimension that is 0."""
        return self.writer.constant(np.array([0, *shape], np.int64))


def channels_first(value: NDArray[Any]) -> NDArray[Any]:
    """Return (C, H, W) of a constant that is broadcast to NHWC; missing dimensions become 1."""
    image = value.reshape((1,) * (4 - value.ndim) + value.shape)
    if image.shape[0] != 1:
        raise ModelError("a constant with a batch is not supported")
    first: NDArray[Any] = image.transpose(TO_NCHW)[0]
    return first
