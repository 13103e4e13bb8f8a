"""Vectors as the database keeps them: little-endian float32 in a bytea column."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from chassis.errors import DamagedRow, InvalidInput

__all__ = ["vector_from_bytes", "vector_to_bytes", "vectors_from_bytes"]

_STORED = np.dtype("<f4")


def vector_to_bytes(vector: npt.ArrayLike, *, dimension: int) -> bytes:
    """Return `vector`, real numbers of shape (dimension,), as 4 x dimension bytes.

    Raises InvalidInput for another shape and for values that are not finite as float32.
    """
    try:
        with np.errstate(over="ignore"):  # becomes infinite, refused below
            stored: npt.NDArray[np.float32] = np.asarray(vector, dtype=_STORED)
    except (TypeError, ValueError) as exc:
        raise InvalidInput("a vector must hold real numbers") from exc
    if stored.shape != (dimension,):
        raise InvalidInput(f"a vector has the shape {stored.shape}, not ({dimension},)")
    if not np.isfinite(stored).all():
        raise InvalidInput("a vector holds values that are not finite")
    return stored.tobytes()


def vector_from_bytes(data: bytes, *, dimension: int) -> npt.NDArray[np.float32]:
    """Return the vector of shape (dimension,), float32, C-contiguous and writable.

    Raises DamagedRow for another length and for values that are not finite: the row is damaged.
    """
    vector: npt.NDArray[np.float32] = vectors_from_bytes([data], dimension=dimension)[0]
    return vector


def vectors_from_bytes(rows: Sequence[bytes], *, dimension: int) -> npt.NDArray[np.float32]:
    """Return many vectors as one array of shape (len(rows), dimension), float32, C-contiguous and writable.

    Raises DamagedRow as `vector_from_bytes` does.
    """
    for row in rows:
        if len(row) != dimension * _STORED.itemsize:
            raise DamagedRow(f"a stored vector has {len(row)} bytes, not {dimension * _STORED.itemsize}")
    stored = np.frombuffer(b"".join(rows), dtype=_STORED).reshape(len(rows), dimension)
    vectors = stored.astype(np.float32)  # a copy in the machine's byte order
    if not np.isfinite(vectors).all():
        raise DamagedRow("a stored vector holds values that are not finite")
    return vectors
