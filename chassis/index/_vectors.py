"""Checked vectors: what Voyager accepts without an error and then stores or compares wrongly stops here."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chassis.errors import InvalidInput

__all__ = ["ID_LIMIT", "Vectors", "checked_vectors", "checked_ids", "unit"]

Vectors = NDArray[np.float32]

_SHORTEST = 1e-12
# Squared distances of two such vectors still fit a float32, in any dimension that fits in memory.
_LARGEST = 1e15
ID_LIMIT = 2**63  # ids are bigserial in Postgres


def checked_vectors(values: ArrayLike, shape: tuple[int, ...]) -> Vectors:
    """A C-contiguous float32 array of that shape, every value finite; an empty list has any shape of size 0.

    Raises:
        InvalidInput: another shape, no numbers, NaN, infinite or above 1e15 in size.
    """
    try:
        raw = np.asarray(values)
    except ValueError as exc:
        raise InvalidInput("vectors must have equally many values") from exc
    if raw.dtype.kind not in "fiu":
        raise InvalidInput("vectors must consist of numbers")
    with np.errstate(over="ignore"):  # what overflows float32 becomes infinite and is refused below
        vectors = np.ascontiguousarray(raw, np.float32)
    if vectors.size == 0 == math.prod(shape):
        return vectors.reshape(shape)
    if vectors.shape != shape:
        raise InvalidInput(f"expected vectors of shape {shape}, got {vectors.shape}")
    if not bool((np.abs(vectors) <= _LARGEST).all()):  # false for NaN, too
        raise InvalidInput("vectors must be finite, and at most 1e15 in size")
    return vectors


def unit(vectors: Vectors) -> Vectors:
    """The vector, or each row, scaled to length 1.

    Raises:
        InvalidInput: a row of zeros, which has no direction.
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=-1, keepdims=True)
    if not bool((lengths > _SHORTEST).all()):
        raise InvalidInput("a vector of zeros has no direction to compare")
    return np.ascontiguousarray(vectors / lengths, np.float32)


def checked_ids(ids: ArrayLike) -> list[int]:
    """Distinct whole numbers from 0 to 2^63 - 1.

    Raises:
        InvalidInput: anything else.
    """
    numbers = np.asarray(ids)
    if numbers.size == 0:
        return []
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise InvalidInput("ids must be a sequence of whole numbers")
    if int(numbers.min()) < 0 or int(numbers.max()) >= ID_LIMIT:
        raise InvalidInput("ids must be 0 to 2^63 - 1")
    known: list[int] = numbers.tolist()
    if len(set(known)) != len(known):
        raise InvalidInput("an id is there twice")
    return known
