"""Voyager files of an export: vectors by position. Every quirk of the library's files is dealt with here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import voyager  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from chassis.errors import InvalidInput

__all__ = ["SPACE", "VectorFile", "VectorFileWriter"]

SPACE = "cosine"
"""Of every file that is written or read."""

_M, _EF_CONSTRUCTION = 16, 200
_FIRST_CAPACITY = 4096
Vectors = NDArray[np.float32]


class VectorFileWriter:
    """An index that grows, and is written at the end."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index = voyager.Index(
            voyager.Space.Cosine,
            num_dimensions=dimension,
            M=_M,
            ef_construction=_EF_CONSTRUCTION,
            max_elements=_FIRST_CAPACITY,
        )

    def __len__(self) -> int:
        return int(self._index.num_elements)

    def add(self, positions: Sequence[int], vectors: Vectors) -> None:
        """Add vectors (n, d) under new positions; about a millisecond of processor time each."""
        needed = len(self) + len(positions)
        if needed > self._index.max_elements:  # the library loses vectors when it grows by itself in threads
            self._index.resize(max(needed, 2 * int(self._index.max_elements)))
        self._index.add_items(
            np.ascontiguousarray(vectors, np.float32), list(positions), num_threads=os.cpu_count() or 1
        )

    def save(self, path: Path) -> None:
        """Write the file. Raises OSError when it does not come out whole: the library does not notice."""
        self._index.save(str(path))
        with path.open("rb") as file:
            os.fsync(file.fileno())
        if len(voyager.Index.load(str(path))) != len(self):
            raise OSError(f"{path} was not written whole")


class VectorFile:
    """A file that is known to be whole: see `ExportFolder.verified`.

    Raises InvalidInput for a file that is no index, or not of this dimension.
    """

    def __init__(self, path: Path, *, dimension: int) -> None:
        self.dimension = dimension
        try:
            self._index = voyager.Index.load(str(path))
        except Exception as exc:  # the library raises RuntimeError, ValueError and others
            raise InvalidInput(f"{path}: not a Voyager index") from exc
        if self._index.num_dimensions != dimension:
            found = self._index.num_dimensions
            raise InvalidInput(f"{path}: its vectors have {found} values, expected {dimension}")
        if self._index.space != voyager.Space.Cosine:
            raise InvalidInput(f"{path}: its space is not cosine")

    def __len__(self) -> int:
        return int(self._index.num_elements)

    def batches(self, size: int) -> Iterator[tuple[list[int], Vectors]]:
        """All positions in order, with their vectors (n, d), some at a time. NaN and zeros as they are."""
        positions = sorted(self._index.ids)
        for start in range(0, len(positions), size):
            some = positions[start : start + size]
            yield some, np.ascontiguousarray(self._index.get_vectors(some), np.float32)
