"""TFLite graphs as ONNX graphs with a dynamic batch.

TFLite keeps images as NHWC and ONNX operators want NCHW. The graph is transposed once behind its input and once
before an output; every rank-4 tensor between is NCHW. The batch that the file has hard-wired is replaced by "N".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import tflite
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.models.graph import GraphWriter
from chassis.models.spec import OutputSpec
from chassis.models.tflite_file import Operator, TfliteFile, read_tflite
from chassis.models.tflite_prelu import fuse_prelu

__all__ = ["convert_tflite"]

_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


def convert_tflite(data: bytes, *, name: str, outputs: Mapping[int, OutputSpec]) -> onnx.ModelProto:
    """Return an ONNX model with the one input `input`, (N, H, W, C) as in the file, and these outputs.

    `outputs` are keyed by their position in the file and may have other shapes of the same size there. Outputs
    that are not listed are dropped with all that only they need. Raises ModelError for an
    operator or a form of it that is not supported.
    """
    return _Converter(fuse_prelu(read_tflite(data)), name).convert(outputs)


class _Converter:
    """Goes through the operators in order; knows each tensor's constant value or its name in the ONNX graph."""

    def __init__(self, file: TfliteFile, name: str) -> None:
        self._file = file
        self._writer = GraphWriter(name)
        self._values = {i: t.value for i, t in enumerate(file.tensors) if t.value is not None}
        self._names: dict[int, str] = {}
        # Outputs of PAD that are the named tensor with (top, left, bottom, right) zeros around it.
        self._padded: dict[int, tuple[str, list[int]]] = {}
        self._batch = self._shape(file.inputs[0])[0]

    def convert(self, outputs: Mapping[int, OutputSpec]) -> onnx.ModelProto:
        (source,) = self._file.inputs
        self._names[source] = self._writer.add("Transpose", "input", perm=_TO_NCHW)
        for operator in self._file.operators:
            self._convert_operator(operator)
        for position, output in outputs.items():
            self._write_output(self._file.outputs[position], output)
        return self._writer.finish(
            {"input": ["N", *self._shape(source)[1:]]},
            {output.name: ["N", *output.shape] for output in outputs.values()},
        )

    def _convert_operator(self, operator: Operator) -> None:
        if operator.name not in _CONVERTERS:
            raise ModelError(f"the operator {operator.name} is not supported")
        (result,) = operator.outputs
        name = _CONVERTERS[operator.name](self, operator)
        if name is not None:
            self._names[result] = self._activate(name, operator)

    def _write_output(self, tensor: int, output: OutputSpec) -> None:
        name = self._channels_last(tensor)
        if self._shape(tensor)[1:] == output.shape:
            self._writer.add("Identity", name, output=output.name)
        else:
            self._writer.add("Reshape", name, self._batch_and(output.shape), output=output.name)

    # --- constants, which the file may keep sparse or as half floats ---

    def _densify(self, operator: Operator) -> None:
        self._values[operator.outputs[0]] = self._constant(operator.inputs[0])

    def _dequantize(self, operator: Operator) -> None:
        value = self._constant(operator.inputs[0])
        if value.dtype != np.float16:
            raise ModelError(f"DEQUANTIZE of {value.dtype} is not supported")
        self._values[operator.outputs[0]] = value.astype(np.float32)

    # --- convolutions and pooling ---

    def _conv(self, operator: Operator) -> str:
        weights = self._constant(operator.inputs[1]).transpose(0, 3, 1, 2)
        return self._convolve(operator, weights, groups=1)

    def _depthwise_conv(self, operator: Operator) -> str:
        weights = self._constant(operator.inputs[1]).transpose(3, 0, 1, 2)
        return self._convolve(operator, weights, groups=self._shape(operator.inputs[0])[3])

    def _convolve(self, operator: Operator, weights: NDArray[Any], groups: int) -> str:
        options, kernel = operator.options, weights.shape[2:]
        dilations = [options.DilationHFactor(), options.DilationWFactor()]
        strides = [options.StrideH(), options.StrideW()]
        extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
        source, pads = self._names[operator.inputs[0]], self._pads(operator, extents, strides)
        if options.Padding() == tflite.Padding.VALID and operator.inputs[0] in self._padded:
            source, pads = self._padded[operator.inputs[0]]
        return self._writer.add(
            "Conv", source, self._writer.constant(weights), *self._bias(operator),
            kernel_shape=list(kernel), strides=strides, dilations=dilations, pads=pads, group=groups,
        )  # fmt: skip

    def _bias(self, operator: Operator) -> list[str]:
        if len(operator.inputs) < 3 or operator.inputs[2] < 0:
            return []
        return [self._writer.constant(self._constant(operator.inputs[2]))]

    def _max_pool(self, operator: Operator) -> str:
        options = operator.options
        kernel = [options.FilterHeight(), options.FilterWidth()]
        strides = [options.StrideH(), options.StrideW()]
        return self._writer.add(
            "MaxPool", self._names[operator.inputs[0]],
            kernel_shape=kernel, strides=strides, pads=self._pads(operator, kernel, strides),
        )  # fmt: skip

    def _pads(self, operator: Operator, extents: Sequence[int], strides: Sequence[int]) -> list[int]:
        """(top, left, bottom, right): none for VALID; SAME keeps ceil(size / stride), the odd one goes last."""
        if operator.options.Padding() == tflite.Padding.VALID:
            return [0, 0, 0, 0]
        before, after = [], []
        for size, extent, stride in zip(self._shape(operator.inputs[0])[1:3], extents, strides, strict=True):
            total = max((-(-size // stride) - 1) * stride + extent - size, 0)
            before.append(total // 2)
            after.append(total - total // 2)
        return before + after

    # --- shapes ---

    def _pad(self, operator: Operator) -> str:
        (batch, top_bottom, left_right, channels) = self._constant(operator.inputs[1]).tolist()
        if batch != [0, 0]:
            raise ModelError("PAD of the batch is not supported")
        source = self._names[operator.inputs[0]]
        if channels == [0, 0]:
            around = [top_bottom[0], left_right[0], top_bottom[1], left_right[1]]
            self._padded[operator.outputs[0]] = (source, around)
        ends = np.array([batch, channels, top_bottom, left_right], np.int64).T.ravel()
        return self._writer.add("Pad", source, self._writer.constant(ends))

    def _reshape(self, operator: Operator) -> str:
        source, result = operator.inputs[0], operator.outputs[0]
        if not self._shape(source)[0] == self._shape(result)[0] == self._batch:
            raise ModelError("RESHAPE across the batch is not supported")
        name = self._writer.add(
            "Reshape", self._channels_last(source), self._batch_and(self._shape(result)[1:])
        )
        return self._writer.add("Transpose", name, perm=_TO_NCHW) if len(self._shape(result)) == 4 else name

    def _concatenate(self, operator: Operator) -> str:
        rank = len(self._shape(operator.outputs[0]))
        axis = operator.options.Axis() % rank
        names = [self._names[tensor] for tensor in operator.inputs]
        return self._writer.add("Concat", *names, axis=_TO_NCHW.index(axis) if rank == 4 else axis)

    def _depth_to_space(self, operator: Operator) -> str:
        source = self._names[operator.inputs[0]]
        return self._writer.add("DepthToSpace", source, blocksize=operator.options.BlockSize(), mode="DCR")

    def _resize_bilinear(self, operator: Operator) -> str:
        before, after = (
            np.array(self._shape(tensor)[1:3]) for tensor in (operator.inputs[0], operator.outputs[0])
        )
        scales = np.array([1, 1, *(after / before)], np.float32)
        return self._writer.add(
            "Resize", self._names[operator.inputs[0]], "", self._writer.constant(scales),
            mode="linear", coordinate_transformation_mode=_resize_coordinates(operator.options),
        )  # fmt: skip

    # --- element by element ---

    def _elementwise(self, onnx_name: str, operator: Operator) -> str:
        operands = (self._operand(tensor, operator.outputs[0]) for tensor in operator.inputs)
        return self._writer.add(onnx_name, *operands)

    def _operand(self, tensor: int, result: int) -> str:
        """Name an operand; a constant is given the rank-4 NCHW form of what it is broadcast to."""
        if tensor in self._names:
            return self._names[tensor]
        value = self._constant(tensor)
        if len(self._shape(result)) == 4:
            value = value.reshape((1,) * (4 - value.ndim) + value.shape).transpose(_TO_NCHW)[0]
        return self._writer.constant(value)

    def _activate(self, name: str, operator: Operator) -> str:
        fused = getattr(operator.options, "FusedActivationFunction", None)
        kind = tflite.ActivationFunctionType.NONE if fused is None else fused()
        if kind == tflite.ActivationFunctionType.NONE:
            return name
        if kind == tflite.ActivationFunctionType.RELU:
            return self._writer.add("Relu", name)
        if kind == tflite.ActivationFunctionType.RELU6:
            low, high = (self._writer.constant(np.array(bound, np.float32)) for bound in (0, 6))
            return self._writer.add("Clip", name, low, high)
        raise ModelError(f"the fused activation {kind} is not supported")

    # --- what is known of a tensor ---

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return self._file.tensors[tensor].shape

    def _constant(self, tensor: int) -> NDArray[Any]:
        if tensor not in self._values:
            raise ModelError(
                f"{self._file.tensors[tensor].name} is computed where only a constant is supported"
            )
        return self._values[tensor]

    def _channels_last(self, tensor: int) -> str:
        """Name the tensor in the order of the file; one pixel has the same order in both."""
        shape, name = self._shape(tensor), self._names[tensor]
        if len(shape) != 4 or shape[1] == shape[2] == 1:
            return name
        return self._writer.add("Transpose", name, perm=_TO_NHWC)

    def _batch_and(self, shape: Sequence[int | str]) -> str:
        """A target for Reshape; ONNX copies the dimension that is 0 from the input."""
        return self._writer.constant(np.array([0, *shape], np.int64))


def _resize_coordinates(options: Any) -> str:
    if options.AlignCorners():
        return "align_corners"
    return "half_pixel" if options.HalfPixelCenters() else "asymmetric"


def _elementwise(onnx_name: str) -> Callable[[_Converter, Operator], str | None]:
    return lambda converter, operator: converter._elementwise(onnx_name, operator)


_CONVERTERS: dict[str, Callable[[_Converter, Operator], str | None]] = {
    "DENSIFY": _Converter._densify,
    "DEQUANTIZE": _Converter._dequantize,
    "CONV_2D": _Converter._conv,
    "DEPTHWISE_CONV_2D": _Converter._depthwise_conv,
    "MAX_POOL_2D": _Converter._max_pool,
    "PAD": _Converter._pad,
    "RESHAPE": _Converter._reshape,
    "CONCATENATION": _Converter._concatenate,
    "DEPTH_TO_SPACE": _Converter._depth_to_space,
    "RESIZE_BILINEAR": _Converter._resize_bilinear,
    "ABS": _elementwise("Abs"),
    "ADD": _elementwise("Add"),
    "SUB": _elementwise("Sub"),
    "MUL": _elementwise("Mul"),
    "RELU": _elementwise("Relu"),
    "PRELU": _elementwise("PRelu"),
    "LOGISTIC": _elementwise("Sigmoid"),
}
