"""TFLite graphs as ONNX graphs with a dynamic batch.

TFLite keeps images as NHWC and ONNX operators want NCHW. The graph is transposed once behind its input and
once before an output; every rank-4 tensor between is NCHW. The batch that a file has hard-wired becomes "N".
"""

from collections.abc import Mapping

import onnx

from chassis.errors import ModelError
from chassis.models.spec import OutputSpec
from chassis.models.tflite.conversion import TO_NCHW, Conversion
from chassis.models.tflite.file import read_tflite
from chassis.models.tflite.operators import CONVERTERS
from chassis.models.tflite.prelu import fuse_prelu

__all__ = ["convert_tflite"]


def convert_tflite(data: bytes, *, name: str, outputs: Mapping[int, OutputSpec]) -> onnx.ModelProto:
    """Return an ONNX model with the one input `input`, (N, H, W, C) as in the file, and these outputs.

    `outputs` are keyed by their position in the file and may have another shape of the same size there.
    Outputs that are not listed are dropped with all that only they need.
    Raises ModelError for an operator, or a form of one, that is not supported.
    """
    conversion = Conversion(fuse_prelu(read_tflite(data)), name)
    (source,) = conversion.file.inputs
    conversion.names[source] = conversion.writer.add("Transpose", "input", perm=TO_NCHW)
    _convert_operators(conversion)
    for position, output in outputs.items():
        _write_output(conversion, conversion.file.outputs[position], output)
    return conversion.writer.finish(
        {"input": ["N", *conversion.shape(source)[1:]]},
        {output.name: ["N", *output.shape] for output in outputs.values()},
    )


def _convert_operators(conversion: Conversion) -> None:
    for operator in conversion.file.operators:
        if operator.name not in CONVERTERS:
            raise ModelError(f"the operator {operator.name} is not supported")
        name = CONVERTERS[operator.name](conversion, operator)
        if name is not None:
            conversion.names[operator.outputs[0]] = name


def _write_output(conversion: Conversion, tensor: int, output: OutputSpec) -> None:
    name, writer = conversion.channels_last(tensor), conversion.writer
    if conversion.shape(tensor)[1:] == output.shape:
        writer.add("Identity", name, output=output.name)
    else:
        writer.add("Reshape", name, conversion.batch_and(output.shape), output=output.name)
