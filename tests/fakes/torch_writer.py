"""Writes checkpoints as PyTorch does, opcode by opcode, without PyTorch."""

import io
import pickle
import struct
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["StoredTensor", "state_pickle", "legacy_checkpoint", "zip_checkpoint", "call", "contiguous"]

_STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage"}
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


@dataclass(frozen=True)
class StoredTensor:
    """A view of a flat buffer, which several tensors may share by its key."""

    key: str
    buffer: NDArray[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0
    is_parameter: bool = False


def call(module: str, name: str, *arguments: bytes) -> bytes:
    """The opcodes that look a function up and call it."""
    return f"c{module}\n{name}\n".encode() + b"(" + b"".join(arguments) + b"tR"


def state_pickle(tensors: dict[str, StoredTensor], *, extra: bytes = b"") -> bytes:
    """A pickled state dict, with further opcodes of keys and values."""
    rows = b"".join(_value(name) + _tensor(tensor) for name, tensor in tensors.items())
    return b"\x80\x02" + call("collections", "OrderedDict") + b"(" + rows + extra + b"u."


def legacy_checkpoint(
    tensors: dict[str, StoredTensor], *, state: bytes | None = None, little: bool = True
) -> bytes:
    """The format of PyTorch before 1.6."""
    machine = {"protocol_version": _PROTOCOL, "little_endian": little, "type_sizes": {"int": 4}}
    buffers = {tensor.key: tensor.buffer for tensor in tensors.values()}
    head = b"".join(pickle.dumps(value, 2) for value in (_MAGIC, _PROTOCOL, machine))
    storages = b"".join(struct.pack("<q", buffer.size) + buffer.tobytes() for buffer in buffers.values())
    return head + (state or state_pickle(tensors)) + pickle.dumps(list(buffers), 2) + storages


def zip_checkpoint(tensors: dict[str, StoredTensor]) -> bytes:
    """The format of PyTorch since 1.6."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", state_pickle(tensors))
        for key, buffer in {tensor.key: tensor.buffer for tensor in tensors.values()}.items():
            archive.writestr(f"archive/data/{key}", buffer.tobytes())
    return stream.getvalue()


def _tensor(tensor: StoredTensor) -> bytes:
    kind = f"ctorch\n{_STORAGES[tensor.buffer.dtype.name]}\n".encode()
    reference = [_value("storage"), kind, _value(tensor.key), _value("cpu"), _value(tensor.buffer.size)]
    storage = b"(" + b"".join(reference) + b"tQ"
    numbers = [_value(tensor.offset), _value(tensor.shape), _value(tensor.strides), _value(False)]
    rebuilt = call(
        "torch._utils", "_rebuild_tensor_v2", storage, *numbers, call("collections", "OrderedDict")
    )
    if not tensor.is_parameter:
        return rebuilt
    hooks = call("collections", "OrderedDict")
    return call("torch._utils", "_rebuild_parameter", rebuilt, _value(True), hooks)


def _value(value: Any) -> bytes:
    """The opcodes of a plain value, without the frame around them."""
    return pickle.dumps(value, 2)[2:-1]


def contiguous(key: str, array: NDArray[Any], **options: Any) -> StoredTensor:
    """A tensor that is the whole of its buffer."""
    strides = tuple(stride // array.itemsize for stride in np.ascontiguousarray(array).strides)
    return StoredTensor(key, array.ravel(), array.shape, strides if array.ndim else (), **options)
