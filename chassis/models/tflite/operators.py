"""One function for each TFLite operator: writes ONNX operators and returns the name of the result.

Those that only make constants return None.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.models.tflite.conversion import TO_NCHW, Conversion, channels_first
from chassis.models.tflite.file import Operator

__all__ = ["CONVERTERS", "Converter"]

Converter = Callable[[Conversion, Operator], str | None]


def _densify(conversion: Conversion, operator: Operator) -> None:
    conversion.values[operator.outputs[0]] = conversion.constant(operator.inputs[0])


def _dequantize(conversion: Conversion, operator: Operator) -> None:
    value = conversion.constant(operator.inputs[0])
    if value.dtype != np.float16:
        raise ModelError(f"DEQUANTIZE of {value.dtype} is not supported")
    conversion.values[operator.outputs[0]] = value.astype(np.float32)


def _conv(conversion: Conversion, operator: Operator) -> str:
    weights = conversion.constant(operator.inputs[1]).transpose(0, 3, 1, 2)
    return _convolve(conversion, operator, weights, groups=1)


def _depthwise_conv(conversion: Conversion, operator: Operator) -> str:
    weights = conversion.constant(operator.inputs[1]).transpose(3, 0, 1, 2)
    return _convolve(conversion, operator, weights, groups=conversion.shape(operator.inputs[0])[3])


def _convolve(conversion: Conversion, operator: Operator, weights: NDArray[Any], *, groups: int) -> str:
    options, kernel = operator.options, weights.shape[2:]
    dilations = [options.DilationHFactor(), options.DilationWFactor()]
    strides = [options.StrideH(), options.StrideW()]
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    source, pads = _padded_source(conversion, operator, extents, strides)
    name = conversion.writer.add(
        "Conv", source, conversion.writer.constant(weights), *_bias(conversion, operator),
        kernel_shape=list(kernel), strides=strides, dilations=dilations, pads=pads, group=groups,
    )  # fmt: skip
    return _activate(conversion, operator, name)


def _bias(conversion: Conversion, operator: Operator) -> list[str]:
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return []
    return [conversion.writer.constant(conversion.constant(operator.inputs[2]))]


def _padded_source(
    conversion: Conversion, operator: Operator, extents: Sequence[int], strides: Sequence[int]
) -> tuple[str, list[int]]:
    """Name what a convolution reads, and its padding; a PAD before it becomes a part of it."""
    source = operator.inputs[0]
    if operator.options.Padding() == tflite.Padding.VALID and source in conversion.padded:
        return conversion.padded[source]
    return conversion.names[source], _pads(conversion, operator, extents, strides)


def _pads(
    conversion: Conversion, operator: Operator, extents: Sequence[int], strides: Sequence[int]
) -> list[int]:
    """(top, left, bottom, right): none for VALID; SAME keeps ceil(size / stride), an odd one goes last."""
    if operator.options.Padding() == tflite.Padding.VALID:
        return [0, 0, 0, 0]
    before, after = [], []
    for size, extent, stride in zip(conversion.shape(operator.inputs[0])[1:3], extents, strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return before + after


def _max_pool(conversion: Conversion, operator: Operator) -> str:
    options = operator.options
    kernel = [options.FilterHeight(), options.FilterWidth()]
    strides = [options.StrideH(), options.StrideW()]
    pads = _pads(conversion, operator, kernel, strides)
    source = conversion.names[operator.inputs[0]]
    name = conversion.writer.add("MaxPool", source, kernel_shape=kernel, strides=strides, pads=pads)
    return _activate(conversion, operator, name)


def _pad(conversion: Conversion, operator: Operator) -> str:
    batch, rows, columns, channels = conversion.constant(operator.inputs[1]).tolist()
    if batch != [0, 0]:
        raise ModelError("PAD of the batch is not supported")
    source = conversion.names[operator.inputs[0]]
    if channels == [0, 0]:
        around = [rows[0], columns[0], rows[1], columns[1]]
        conversion.padded[operator.outputs[0]] = (source, around)
    ends = np.array([batch, channels, rows, columns], np.int64).T.ravel()
    return conversion.writer.add("Pad", source, conversion.writer.constant(ends))


def _reshape(conversion: Conversion, operator: Operator) -> str:
    before, after = (conversion.shape(tensor) for tensor in (operator.inputs[0], operator.outputs[0]))
    if not before[0] == after[0] == conversion.batch:
        raise ModelError("RESHAPE across the batch is not supported")
    source, target = conversion.channels_last(operator.inputs[0]), conversion.batch_and(after[1:])
    name = conversion.writer.add("Reshape", source, target)
    return conversion.writer.add("Transpose", name, perm=TO_NCHW) if len(after) == 4 else name


def _concatenate(conversion: Conversion, operator: Operator) -> str:
    rank = len(conversion.shape(operator.outputs[0]))
    axis = operator.options.Axis() % rank
    names = [conversion.operand(tensor, rank) for tensor in operator.inputs]
    name = conversion.writer.add("Concat", *names, axis=TO_NCHW.index(axis) if rank == 4 else axis)
    return _activate(conversion, operator, name)


def _depth_to_space(conversion: Conversion, operator: Operator) -> str:
    source, size = conversion.names[operator.inputs[0]], operator.options.BlockSize()
    return conversion.writer.add("DepthToSpace", source, blocksize=size, mode="DCR")


def _resize_bilinear(conversion: Conversion, operator: Operator) -> str:
    before, after = (
        np.array(conversion.shape(tensor)[1:3]) for tensor in (operator.inputs[0], operator.outputs[0])
    )
    scales = np.array([1, 1, *(after / before)], np.float32)
    return conversion.writer.add(
        "Resize", conversion.names[operator.inputs[0]], "", conversion.writer.constant(scales),
        mode="linear", coordinate_transformation_mode=_resize_coordinates(operator.options),
    )  # fmt: skip


def _resize_coordinates(options: Any) -> str:
    if options.AlignCorners():
        return "align_corners"
    return "half_pixel" if options.HalfPixelCenters() else "asymmetric"


def _prelu(conversion: Conversion, operator: Operator) -> str:
    """Write slope * x + (1 - slope) * relu(x), both products as convolutions of each channel by itself.

    ONNX Runtime has no PRelu for its blocked CPU layout: two copies of the image around each one made
    MobileFaceNet three times slower than this.
    """
    slopes = channels_first(conversion.constant(operator.inputs[1]))
    source, writer = conversion.names[operator.inputs[0]], conversion.writer
    if slopes.shape[1:] != (1, 1):
        return writer.add("PRelu", source, writer.constant(slopes))
    scaled = _scale_channels(conversion, source, slopes)
    positive = _scale_channels(conversion, writer.add("Relu", source), 1 - slopes)
    return writer.add("Add", scaled, positive)


def _scale_channels(conversion: Conversion, source: str, factors: NDArray[Any]) -> str:
    weights = conversion.writer.constant(factors[:, None])
    return conversion.writer.add("Conv", source, weights, kernel_shape=[1, 1], group=len(factors))


def _elementwise(onnx_name: str) -> Converter:
    def convert(conversion: Conversion, operator: Operator) -> str:
        rank = len(conversion.shape(operator.outputs[0]))
        operands = [conversion.operand(tensor, rank) for tensor in operator.inputs]
        return _activate(conversion, operator, conversion.writer.add(onnx_name, *operands))

    return convert


def _activate(conversion: Conversion, operator: Operator, name: str) -> str:
    """Write the activation that is fused into an operator, if there is one."""
    fused = getattr(operator.options, "FusedActivationFunction", None)
    kind = tflite.ActivationFunctionType.NONE if fused is None else fused()
    if kind == tflite.ActivationFunctionType.NONE:
        return name
    if kind == tflite.ActivationFunctionType.RELU:
        return conversion.writer.add("Relu", name)
    if kind == tflite.ActivationFunctionType.RELU6:
        bounds = (conversion.writer.constant(np.array(bound, np.float32)) for bound in (0, 6))
        return conversion.writer.add("Clip", name, *bounds)
    raise ModelError(f"the fused activation {kind} is not supported")


CONVERTERS: dict[str, Converter] = {
    "DENSIFY": _densify,
    "DEQUANTIZE": _dequantize,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise_conv,
    "MAX_POOL_2D": _max_pool,
    "PAD": _pad,
    "RESHAPE": _reshape,
    "CONCATENATION": _concatenate,
    "DEPTH_TO_SPACE": _depth_to_space,
    "RESIZE_BILINEAR": _resize_bilinear,
    "PRELU": _prelu,
    "ABS": _elementwise("Abs"),
    "ADD": _elementwise("Add"),
    "SUB": _elementwise("Sub"),
    "MUL": _elementwise("Mul"),
    "RELU": _elementwise("Relu"),
    "LOGISTIC": _elementwise("Sigmoid"),
}
"""By the name of the operator in the TFLite schema."""
