"""Writes small .tflite files, so that the reader can be tested on every form an operator has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

from chassis.models.tflite.sparse import SparseLevel, Sparsity

__all__ = ["TfliteWriter", "Options"]

_TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "float16": tflite.TensorType.FLOAT16,
    "int32": tflite.TensorType.INT32,
    "int8": tflite.TensorType.INT8,
    "complex64": tflite.TensorType.COMPLEX64,
}


@dataclass(frozen=True)
class Options:
    """A table of the schema such as "Conv2DOptions" with its scalar fields."""

    table: str
    fields: dict[str, int]


@dataclass(frozen=True)
class _Tensor:
    shape: tuple[int, ...]
    dtype: str
    data: bytes
    sparsity: Sparsity | None


class TfliteWriter:
    """Collects tensors and operators; numbers of tensors are given in order of creation."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(1024)
        self._tensors: list[_Tensor] = []
        self._operators: list[tuple[str, Sequence[int], Sequence[int], Options | None]] = []

    def tensor(self, *shape: int) -> int:
        """Add a computed float32 tensor."""
        return self._add(_Tensor(shape, "float32", b"", None))

    def constant(self, value: NDArray[Any]) -> int:
        """Add a constant."""
        return self._add(_Tensor(value.shape, value.dtype.name, value.tobytes(), None))

    def sparse(self, shape: tuple[int, ...], values: NDArray[Any], sparsity: Sparsity) -> int:
        """Add a sparse constant with these stored elements."""
        return self._add(_Tensor(shape, values.dtype.name, values.tobytes(), sparsity))

    def operator(self, name: str, inputs: Sequence[int], output: int, options: Options | None = None) -> int:
        """Add an operator and return the number of its output."""
        self._operators.append((name, inputs, [output], options))
        return output

    def finish(self, inputs: Sequence[int], outputs: Sequence[int], *, subgraphs: int = 1) -> bytes:
        """Return the file."""
        builder = self._builder
        graph = self._subgraph(inputs, outputs)
        codes = self._vector([self._code(name) for name, *_rest in self._operators])
        buffers = self._vector([self._buffer(b""), *(self._buffer(tensor.data) for tensor in self._tensors)])
        graphs = self._vector([graph] * subgraphs)
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, 3)
        tflite.ModelAddOperatorCodes(builder, codes)
        tflite.ModelAddSubgraphs(builder, graphs)
        tflite.ModelAddBuffers(builder, buffers)
        builder.Finish(tflite.ModelEnd(builder), b"TFL3")
        return bytes(builder.Output())

    def _add(self, tensor: _Tensor) -> int:
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _subgraph(self, inputs: Sequence[int], outputs: Sequence[int]) -> int:
        builder = self._builder
        parts = {
            "Tensors": self._vector(
                [self._write_tensor(i, tensor) for i, tensor in enumerate(self._tensors)]
            ),
            "Inputs": self._integers(inputs),
            "Outputs": self._integers(outputs),
            "Operators": self._vector([self._write_operator(i) for i in range(len(self._operators))]),
        }
        return _table(builder, "SubGraph", parts)

    def _write_tensor(self, number: int, tensor: _Tensor) -> int:
        builder = self._builder
        fields = {
            "Shape": self._integers(tensor.shape),
            "Name": builder.CreateString(f"tensor_{number}"),
            "Type": _TYPES[tensor.dtype],
            # Buffer 0 is by convention the empty one.
            "Buffer": number + 1,
        }
        if tensor.sparsity is not None:
            fields["Sparsity"] = self._sparsity(tensor.sparsity)
        return _table(builder, "Tensor", fields)

    def _sparsity(self, sparsity: Sparsity) -> int:
        fields = {
            "TraversalOrder": self._integers(sparsity.order),
            "DimMetadata": self._vector([self._level(level) for level in sparsity.levels]),
        }
        if sparsity.blocks:
            fields["BlockMap"] = self._integers(sparsity.blocks)
        return _table(self._builder, "SparsityParameters", fields)

    def _level(self, level: SparseLevel) -> int:
        if level.segments is None or level.indices is None:
            return _table(self._builder, "DimensionMetadata", {"Format": 0, "DenseSize": level.size})
        segments, indices = self._bytes(level.segments), self._integers(level.indices)
        fields = {
            "Format": tflite.DimensionType.SPARSE_CSR,
            "ArraySegmentsType": tflite.SparseIndexVector.Uint8Vector,
            "ArraySegments": _table(self._builder, "Uint8Vector", {"Values": segments}),
            "ArrayIndicesType": tflite.SparseIndexVector.Int32Vector,
            "ArrayIndices": _table(self._builder, "Int32Vector", {"Values": indices}),
        }
        return _table(self._builder, "DimensionMetadata", fields)

    def _write_operator(self, number: int) -> int:
        _name, inputs, outputs, options = self._operators[number]
        fields = {"OpcodeIndex": number, "Inputs": self._integers(inputs), "Outputs": self._integers(outputs)}
        if options is not None:
            fields["BuiltinOptions"] = _table(self._builder, options.table, options.fields)
            fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, options.table)
        return _table(self._builder, "Operator", fields)

    def _code(self, name: str) -> int:
        code = getattr(tflite.BuiltinOperator, name)
        # Real files repeat codes below 127 in the older field, and readers expect them there.
        return _table(self._builder, "OperatorCode", {"BuiltinCode": code, "DeprecatedBuiltinCode": code})

    def _buffer(self, data: bytes) -> int:
        if not data:
            return _table(self._builder, "Buffer", {})
        return _table(self._builder, "Buffer", {"Data": self._bytes(np.frombuffer(data, np.uint8))})

    def _vector(self, offsets: Sequence[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())

    def _integers(self, values: Any) -> int:
        return int(self._builder.CreateNumpyVector(np.asarray(values, np.int32)))

    def _bytes(self, values: NDArray[Any]) -> int:
        return int(self._builder.CreateNumpyVector(np.asarray(values, np.uint8)))


def _table(builder: Any, name: str, fields: dict[str, int]) -> int:
    def function(suffix: str) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(tflite, name + suffix)
        return found

    function("Start")(builder)
    for field, value in fields.items():
        function(f"Add{field}")(builder, value)
    return int(function("End")(builder))
