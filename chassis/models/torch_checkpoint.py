"""Reads tensors from PyTorch checkpoints, both the zip format and the older one, without PyTorch.

A checkpoint is a pickle, and a pickle can run code. The reader here resolves only the handful of names that a
checkpoint of plain tensors needs, to functions of our own, and refuses every other.
"""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ModelError

__all__ = ["read_checkpoint"]

_STORAGES: dict[str, type[np.generic]] = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_SUPPORTED_LEGACY_PROTOCOL = 1001


@dataclass(frozen=True, slots=True)
class _Storage:
    """A reference to one flat buffer, which lies outside the pickle."""

    key: str
    dtype: np.dtype[Any]
    length: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_checkpoint(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors of a state dict by name, each an array of its own.

    Raises ModelError when the bytes are no checkpoint, are damaged, or ask for anything but plain tensors.
    """
    try:
        tensors, storages = _read_zip(data) if zipfile.is_zipfile(io.BytesIO(data)) else _read_legacy(data)
        return {name: _array(tensor, storages) for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, struct.error, zipfile.BadZipFile) as exc:
        raise ModelError(f"not a checkpoint of plain tensors: {exc}") from exc


class _Unpickler(pickle.Unpickler):
    """Rebuilds references to tensors; looks nothing up by itself."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) in _REBUILDERS:
            return _REBUILDERS[module, name]
        if module == "torch" and name in _STORAGES:
            return np.dtype(_STORAGES[name])
        raise pickle.UnpicklingError(f"it refers to {module}.{name}")

    def persistent_load(self, reference: Any) -> _Storage:
        match reference:
            case ("storage", np.dtype() as dtype, str(key), str(), int(length), *_):
                return _Storage(key, dtype, length)
        raise pickle.UnpicklingError("it refers to something that is not a storage")


def _tensor(storage: Any, offset: int, shape: Any, strides: Any, *_ignored: Any) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("it has a tensor without a storage")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_ignored: Any) -> Any:
    return tensor


_REBUILDERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}

_Storages = Mapping[str, NDArray[Any]]


def _read_zip(data: bytes) -> tuple[dict[str, _Tensor], _Storages]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (pickled,) = (name for name in archive.namelist() if name.split("/")[-1] == "data.pkl")
        folder = pickled.removesuffix("data.pkl")
        tensors = _only_tensors(_Unpickler(io.BytesIO(archive.read(pickled))).load())
        return tensors, {
            storage.key: np.frombuffer(archive.read(f"{folder}data/{storage.key}"), storage.dtype)
            for storage in _storages(tensors).values()
        }


def _read_legacy(data: bytes) -> tuple[dict[str, _Tensor], _Storages]:
    """The older format: five pickles (magic, protocol, machine, state, storage keys), then the storages."""
    stream = io.BytesIO(data)
    if _Unpickler(stream).load() != _LEGACY_MAGIC or _Unpickler(stream).load() != _SUPPORTED_LEGACY_PROTOCOL:
        raise pickle.UnpicklingError("unknown magic number or protocol")
    machine = _Unpickler(stream).load()
    if not (isinstance(machine, dict) and machine.get("little_endian")):
        raise pickle.UnpicklingError("not written on a little-endian machine")
    tensors = _only_tensors(_Unpickler(stream).load())
    known = _storages(tensors)
    keys = _Unpickler(stream).load()
    return tensors, {key: _read_storage(stream, known[key]) for key in keys}


def _read_storage(stream: BinaryIO, storage: _Storage) -> NDArray[Any]:
    (length,) = struct.unpack("<q", stream.read(8))
    if length != storage.length:
        raise ValueError(f"storage {storage.key} has {length} elements instead of {storage.length}")
    return np.frombuffer(stream.read(length * storage.dtype.itemsize), storage.dtype, count=length)


def _only_tensors(state: Any) -> dict[str, _Tensor]:
    if not isinstance(state, dict):
        raise pickle.UnpicklingError("its top level is not a state dict")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, _Tensor):
            raise pickle.UnpicklingError(f"{name} is not a tensor")
    return dict(state)


def _storages(tensors: Mapping[str, _Tensor]) -> dict[str, _Storage]:
    return {tensor.storage.key: tensor.storage for tensor in tensors.values()}


def _array(tensor: _Tensor, storages: _Storages) -> NDArray[Any]:
    flat = storages[tensor.storage.key]
    index = np.full(tensor.shape, tensor.offset, np.int64)
    for axis, (size, stride) in enumerate(zip(tensor.shape, tensor.strides, strict=True)):
        steps = np.arange(size) * stride
        index += steps.reshape([-1 if i == axis else 1 for i in range(len(tensor.shape))])
    if index.size and not 0 <= index.min() <= index.max() < len(flat):
        raise ValueError("a tensor reaches beyond its storage")
    return np.array(flat[index])
