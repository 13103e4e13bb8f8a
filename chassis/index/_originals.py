"""Vectors as they came, beside a graph that keeps them rounded: in a mapped file, new ones in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from chassis.index._vectors import Vectors

__all__ = ["Originals"]

_STORED = np.dtype("<f4")
_WRITTEN_ROWS = 4096


class Originals:
    """Vectors by id. Callers take turns.

    New ones stay in memory until the next file. Rows of a file are only ever overwritten by zeros.
    """

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._file: NDArray[np.float32] = np.empty((0, dimension), np.float32)
        self._file_ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._new: dict[int, Vectors] = {}

    def __repr__(self) -> str:
        return f"<Originals, {len(self._file_ids)} in a file, {len(self._new)} in memory>"

    def add(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Keep vectors, n x dimension; what is kept already stays as it is."""
        _, are_known = self._rows_of(ids)
        for vector_id, vector, is_known in zip(ids, vectors, are_known, strict=True):
            if not is_known:
                self._new.setdefault(vector_id, vector.copy())

    def discard(self, ids: Sequence[int]) -> None:
        """Let nothing of these vectors stay, neither in memory nor in the file."""
        rows, are_in_file = self._rows_of(ids)
        self._file[rows[are_in_file]] = 0
        for vector_id in ids:
            self._new.pop(vector_id, None)

    def of(self, ids: Sequence[int]) -> Vectors:
        """Vectors in the order of ids that are all kept, n x dimension."""
        rows, are_in_file = self._rows_of(ids)
        found = np.empty((len(ids), self._dimension), np.float32)
        found[are_in_file] = self._file[rows[are_in_file]]
        for place in np.flatnonzero(~are_in_file).tolist():
            found[place] = self._new[ids[place]]
        return found

    def write(self, file: BinaryIO, ids: Sequence[int]) -> None:
        """Write the vectors of sorted ids in their order, float32, nothing between them."""
        for start in range(0, len(ids), _WRITTEN_ROWS):
            file.write(self.of(ids[start : start + _WRITTEN_ROWS]).astype(_STORED).tobytes())

    def map(self, path: Path, ids: NDArray[np.int64]) -> None:
        """Read from a file that `write` made of these sorted ids from now on; it may be deleted meanwhile."""
        shape = (len(ids), self._dimension)
        self._file = _mapped(path, shape) if len(ids) else np.empty(shape, _STORED)
        self._file_ids = np.asarray(ids, np.int64)
        for vector_id in ids.tolist():
            self._new.pop(vector_id, None)

    def _rows_of(self, ids: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Rows of the file, and which of the ids are there."""
        wanted = np.asarray(ids, np.int64)
        if not len(self._file_ids):
            return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
        rows = np.minimum(np.searchsorted(self._file_ids, wanted), len(self._file_ids) - 1)
        return rows, np.asarray(self._file_ids[rows] == wanted, np.bool_)


def _mapped(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    try:
        return np.memmap(path, _STORED, "r+", shape=shape)
    except PermissionError:  # not ours to change: then only this process sees the zeros
        return np.memmap(path, _STORED, "c", shape=shape)
