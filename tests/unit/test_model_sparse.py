"""Dense arrays from TFLite's sparse format."""

import numpy as np
import pytest

from chassis.models.tflite.sparse import SparseLevel, Sparsity, densify


def _csr(segments: list[int], indices: list[int]) -> SparseLevel:
    return SparseLevel(0, np.array(segments), np.array(indices))


def test_csr_matrix() -> None:
    """Rows are dense, columns are listed; an empty row stays zero."""
    sparsity = Sparsity(order=(0, 1), blocks=(), levels=(SparseLevel(3), _csr([0, 2, 2, 3], [0, 3, 1])))
    dense = densify(np.array([1, 2, 3], np.float16), (3, 4), sparsity)
    assert dense.dtype == np.float16
    assert dense.tolist() == [[1, 0, 0, 2], [0, 0, 0, 0], [0, 3, 0, 0]]


def test_columns_first() -> None:
    """The traversal order may begin with the last dimension."""
    sparsity = Sparsity(order=(1, 0), blocks=(), levels=(SparseLevel(2), _csr([0, 1, 3], [1, 0, 2])))
    dense = densify(np.array([7, 8, 9], np.float32), (3, 2), sparsity)
    assert dense.tolist() == [[0, 8], [7, 0], [0, 9]]


def test_convolution_weights_as_the_detectors_store_them() -> None:
    """Rank 4 with dense levels between: output channels, 1, 1, and listed input channels."""
    levels = (SparseLevel(2), SparseLevel(1), SparseLevel(1), _csr([0, 1, 3], [2, 0, 1]))
    dense = densify(np.array([5, 6, 7], np.float32), (2, 1, 1, 3), Sparsity((0, 1, 2, 3), (), levels))
    assert dense.shape == (2, 1, 1, 3)
    assert dense.reshape(2, 3).tolist() == [[0, 0, 5], [6, 7, 0]]


def test_blocks() -> None:
    """A listed block of 2 columns is stored whole; its inner part is a dense level of its own."""
    levels = (SparseLevel(2), _csr([0, 1, 2], [1, 0]), SparseLevel(2))
    sparsity = Sparsity(order=(0, 1, 2), blocks=(1,), levels=levels)
    dense = densify(np.array([1, 2, 3, 4], np.float32), (2, 4), sparsity)
    assert dense.tolist() == [[0, 0, 1, 2], [3, 4, 0, 0]]


def test_too_few_values() -> None:
    """A tree that lists more elements than are stored is refused, not read beyond the end."""
    sparsity = Sparsity(order=(0, 1), blocks=(), levels=(SparseLevel(1), _csr([0, 3], [0, 1, 2])))
    with pytest.raises(ValueError, match="lists 3 elements and stores 2"):
        densify(np.array([1, 2], np.float32), (1, 3), sparsity)
