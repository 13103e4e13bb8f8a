"""Vectors on their way into and out of bytea columns."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chassis.errors import InvalidInput, StoreError
from chassis.postgres import vector_from_bytes, vector_to_bytes, vectors_from_bytes


@given(arrays(np.float32, 5, elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_a_vector_comes_back_bit_for_bit(vector: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> None:
    """What is stored is what was given, as C-contiguous, writable float32."""
    back = vector_from_bytes(vector_to_bytes(vector, dimension=5), dimension=5)
    assert back.tobytes() == vector.tobytes()
    assert back.dtype == np.float32
    assert back.flags.c_contiguous
    assert back.flags.writeable


def test_the_bytes_are_little_endian_floats() -> None:
    """The layout is fixed: other programs may read the column."""
    assert vector_to_bytes([1.0, -2.5], dimension=2) == struct.pack("<2f", 1.0, -2.5)


def test_strided_and_double_input_is_stored_by_value() -> None:
    """A view with gaps and another number type are converted, never reinterpreted."""
    wide = np.arange(8, dtype=np.float64)
    assert vector_to_bytes(wide[::2], dimension=4) == struct.pack("<4f", 0, 2, 4, 6)


@pytest.mark.parametrize(
    "vector",
    [[1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]], [1.0, np.nan], [1.0, np.inf], [1.0, 1e39], ["a", "b"], [1, None]],
)
def test_what_is_no_vector_is_refused(vector: object) -> None:
    """A wrong shape, a value that float32 cannot hold as a finite number, or no number is InvalidInput."""
    with pytest.raises(InvalidInput):
        vector_to_bytes(vector, dimension=2)  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\0" * 12, struct.pack("<2f", 1.0, np.nan)])
def test_a_damaged_row_is_told(data: bytes) -> None:
    """A stored vector of another length or with a value that is not finite is a StoreError."""
    with pytest.raises(StoreError):
        vector_from_bytes(data, dimension=2)


def test_many_rows_become_one_array() -> None:
    """Rows are stacked in order; no rows give an empty array of the right width."""
    rows = [vector_to_bytes([n, n + 0.5], dimension=2) for n in range(3)]
    assert vectors_from_bytes(rows, dimension=2).tolist() == [[0, 0.5], [1, 1.5], [2, 2.5]]
    assert vectors_from_bytes([], dimension=2).shape == (0, 2)
