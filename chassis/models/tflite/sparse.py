"""Dense arrays from the sparse tensor format of TFLite.

Source: SparsityParameters in the TFLite schema, after Chou et al., "Format Abstraction for Sparse Tensor
Algebra Compilers" (2018). Dimensions are stored as a tree, outermost first; a level is either dense or lists
the indices that exist (CSR). A dimension may be split in blocks, whose inner part is a level of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SparseLevel", "Sparsity", "densify"]


@dataclass(frozen=True, slots=True)
class SparseLevel:
    """One level of the tree: dense with `size` children each, or CSR by `segments` and `indices` (size 0)."""

    size: int
    segments: NDArray[np.int64] | None = None
    indices: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Sparsity:
    """How the values of a tensor of rank r are laid out.

    `order[level]` is the dimension of a level; numbers from r on are the inner parts of blocks, and
    `blocks[i]` is the tensor dimension that inner part r + i belongs to.
    """

    order: tuple[int, ...]
    blocks: tuple[int, ...]
    levels: tuple[SparseLevel, ...]


def densify(values: NDArray[Any], shape: Sequence[int], sparsity: Sparsity) -> NDArray[Any]:
    """Return the array of `shape` and the dtype of `values` with zeros where nothing is stored.

    `values` are the stored elements in tree order, shape (n,). Raises ValueError when their number does not
    fit the tree.
    """
    positions, coordinates = np.zeros(1, np.int64), np.zeros((1, 0), np.int64)
    for level in sparsity.levels:
        positions, coordinates = _descend(level, positions, coordinates)
    if len(positions) > len(values) or (len(positions) and int(positions.max()) >= len(values)):
        raise ValueError(f"a sparse tensor lists {len(positions)} elements and stores {len(values)}")
    dense = np.zeros(tuple(shape), values.dtype)
    dense[_tensor_index(coordinates, len(shape), sparsity)] = values[positions]
    return dense


def _descend(
    level: SparseLevel, parents: NDArray[np.int64], coordinates: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replace every node by its children: their positions in the next level, and their coordinates."""
    if level.segments is None or level.indices is None:
        counts = np.full(len(parents), level.size)
        first = parents * level.size
    else:
        first = level.segments[parents]
        counts = level.segments[parents + 1] - first
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    children = np.repeat(first, counts) + within
    index = within if level.indices is None else level.indices[children]
    return children, np.column_stack([np.repeat(coordinates, counts, axis=0), index])


def _tensor_index(
    coordinates: NDArray[np.int64], rank: int, sparsity: Sparsity
) -> tuple[NDArray[np.int64], ...]:
    by_dimension = {dimension: coordinates[:, i] for i, dimension in enumerate(sparsity.order)}
    index = [by_dimension[dimension] for dimension in range(rank)]
    for i, dimension in enumerate(sparsity.blocks):
        inner = rank + i
        block_size = sparsity.levels[sparsity.order.index(inner)].size
        index[dimension] = index[dimension] * block_size + by_dimension[inner]
    return tuple(index)
