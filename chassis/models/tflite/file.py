"""What a .tflite file says, as plain values: tensors, constants and operators in the order they run."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.models.tflite.sparse import SparseLevel, Sparsity, densify

__all__ = ["TfliteFile", "Tensor", "Operator", "read_tflite"]

_DTYPES: dict[int, type[np.generic]] = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.FLOAT16: np.float16,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT64: np.int64,
    tflite.TensorType.UINT8: np.uint8,
    tflite.TensorType.INT8: np.int8,
}
_OPERATOR_NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
_OPTIONS_NAMES = {code: name for name, code in vars(tflite.BuiltinOptions).items() if isinstance(code, int)}
# The indices of sparse tensors come in three widths, each with a table class of its own.
_VECTORS = {
    tflite.SparseIndexVector.Int32Vector: tflite.Int32Vector,
    tflite.SparseIndexVector.Uint16Vector: tflite.Uint16Vector,
    tflite.SparseIndexVector.Uint8Vector: tflite.Uint8Vector,
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the graph: its static shape, and its dense value when it is a constant."""

    name: str
    shape: tuple[int, ...]
    value: NDArray[Any] | None


@dataclass(frozen=True, slots=True)
class Operator:
    """One step: a name such as "CONV_2D", tensor numbers (-1: not given) and its table of options, if any."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Any


@dataclass(frozen=True, slots=True)
class TfliteFile:
    """The only subgraph of a file; inputs and outputs are tensor numbers."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite(data: bytes) -> TfliteFile:
    """Read a file with one subgraph; sparse constants come out dense.

    Raises ModelError when the bytes are not such a file or hold a dtype that is not supported.
    """
    if data[4:8] != b"TFL3":
        raise ModelError("not a .tflite file")
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() != 1:
        raise ModelError(f"a .tflite file with {model.SubgraphsLength()} subgraphs is not supported")
    graph = model.Subgraphs(0)
    return TfliteFile(
        tensors=tuple(_tensor(model, graph.Tensors(i)) for i in range(graph.TensorsLength())),
        operators=tuple(_operator(model, graph.Operators(i)) for i in range(graph.OperatorsLength())),
        inputs=_integers(graph.InputsAsNumpy()),
        outputs=_integers(graph.OutputsAsNumpy()),
    )


def _tensor(model: Any, table: Any) -> Tensor:
    name = table.Name().decode()
    shape = _integers(table.ShapeAsNumpy()) if table.ShapeLength() else ()
    raw = model.Buffers(table.Buffer()).DataAsNumpy()
    if isinstance(raw, int) or len(raw) == 0:
        return Tensor(name, shape, None)
    if table.Type() not in _DTYPES:
        raise ModelError(f"constant {name} has a dtype that is not supported ({table.Type()})")
    values = np.frombuffer(raw.tobytes(), _DTYPES[table.Type()])
    sparsity = table.Sparsity()
    dense = values.reshape(shape) if sparsity is None else densify(values, shape, _sparsity(sparsity))
    return Tensor(name, shape, dense)


def _sparsity(table: Any) -> Sparsity:
    return Sparsity(
        order=_integers(table.TraversalOrderAsNumpy()),
        blocks=() if table.BlockMapIsNone() else _integers(table.BlockMapAsNumpy()),
        levels=tuple(_level(table.DimMetadata(i)) for i in range(table.DimMetadataLength())),
    )


def _level(table: Any) -> SparseLevel:
    if table.Format() == tflite.DimensionType.DENSE:
        return SparseLevel(table.DenseSize())
    return SparseLevel(
        0,
        _index_vector(table.ArraySegmentsType(), table.ArraySegments()),
        _index_vector(table.ArrayIndicesType(), table.ArrayIndices()),
    )


def _index_vector(kind: int, table: Any) -> NDArray[np.int64]:
    vector = _VECTORS[kind]()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), np.int64)


def _operator(model: Any, table: Any) -> Operator:
    code = model.OperatorCodes(table.OpcodeIndex())
    return Operator(
        name=_OPERATOR_NAMES[code.BuiltinCode()],
        inputs=_integers(table.InputsAsNumpy()),
        outputs=_integers(table.OutputsAsNumpy()),
        options=_options(table),
    )


def _options(table: Any) -> Any:
    union: flatbuffers.table.Table | None = table.BuiltinOptions()
    if union is None:
        return SimpleNamespace()
    options = getattr(tflite, _OPTIONS_NAMES[table.BuiltinOptionsType()])()
    options.Init(union.Bytes, union.Pos)
    return options


def _integers(values: Any) -> tuple[int, ...]:
    return tuple(int(value) for value in values)
