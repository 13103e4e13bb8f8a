"""Whether two pictures show the same tattoo, by its key points. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chassis.images import cv2
from services.tattoo.key_points import KeyPoints

__all__ = ["LEAST_AGREEING", "RATIO", "agreeing_points", "is_plausible"]

LEAST_AGREEING = 10
"""Agreeing points from which on they mean something; of different tattoos hardly ever more than 4 agree."""

RATIO = 0.8
"""Lowe's: how much nearer than the second nearest point the nearest one must be."""

# Pixels by which a point may miss the place where the map puts it.
_TOLERANCE = 4.5
_ITERATIONS = 500
_CERTAINTY = 0.99
# An affine map has six numbers, a point gives two of them.
_LEAST_FOR_A_MAP = 3
# Points nearer than this are one: SIFT may find several at one place.
_SAME_PLACE = 1.0
_LEAST_SCALE, _MOST_SCALE = 0.25, 4.0
# How much more one direction may be stretched than another: skin bends, cameras look from the side.
_MOST_STRETCH = 2.5
# BLAS starts threads for a larger product, and waiting for them takes longer than the product.
_BLOCK = 16

_Floats = NDArray[np.float32]


def agreeing_points(one: KeyPoints, other: KeyPoints, *, least: int = LEAST_AGREEING) -> int:
    """Return how many points of two tattoos agree on one plausible map; 0 for fewer than `least`.

    Pairs of points by Lowe's ratio, an affine map by RANSAC (Fischler and Bolles 1981). Points at one place
    count once.
    """
    if len(one) < least or len(other) < max(2, least):
        return 0
    start, end = _pairs(one, other)
    if min(_distinct(start), _distinct(end)) < max(least, _LEAST_FOR_A_MAP):
        return 0
    matrix, agree = cv2.estimateAffine2D(
        start, end, ransacReprojThreshold=_TOLERANCE, maxIters=_ITERATIONS, confidence=_CERTAINTY
    )
    if matrix is None or not is_plausible(np.asarray(matrix, np.float64)):
        return 0
    is_agreeing = np.asarray(agree).ravel() > 0
    count = min(_distinct(start[is_agreeing]), _distinct(end[is_agreeing]))
    return count if count >= least else 0


def is_plausible(matrix: NDArray[np.float64]) -> bool:
    """Whether `matrix` [2, 3] can lead from one picture of a tattoo to another one.

    No mirror image, a scale of 1/4 to 4, and no direction stretched more than 2.5 times as much as another.
    """
    linear = matrix[:, :2]
    if not np.isfinite(matrix).all() or np.linalg.det(linear) <= 0:
        return False
    most, least = np.linalg.svd(linear, compute_uv=False)
    return bool(least >= _LEAST_SCALE and most <= _MOST_SCALE and most <= _MOST_STRETCH * least)


def _pairs(one: KeyPoints, other: KeyPoints) -> tuple[_Floats, _Floats]:
    """Places [n, 2] of points that look alike, and unlike every other."""
    distances = _distances(one.values.astype(np.float32), other.values.astype(np.float32))
    rows, nearest = np.arange(len(distances)), distances.argmin(axis=1)
    first = distances[rows, nearest]
    distances[rows, nearest] = np.inf
    is_clear = first < RATIO**2 * distances.min(axis=1)
    return one.places[is_clear], other.places[nearest[is_clear]]


def _distances(ours: _Floats, theirs: _Floats) -> _Floats:
    """[n, m] squared distances; exact, since values are whole numbers up to 255."""
    transposed = np.ascontiguousarray(theirs.T)
    products = [ours[row : row + _BLOCK] @ transposed for row in range(0, len(ours), _BLOCK)]
    squares = (ours**2).sum(axis=1)[:, None] + (theirs**2).sum(axis=1)
    return np.asarray(squares - 2 * np.concatenate(products))


def _distinct(places: _Floats) -> int:
    """How many places there are."""
    return len(set(map(tuple, np.round(places / _SAME_PLACE).tolist())))
