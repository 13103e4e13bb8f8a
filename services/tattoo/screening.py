"""Which of many views may show the same tattoo, by their first key points alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.tattoo.agreement import RATIO
from services.tattoo.key_points import FIRST_POINTS, KeyPoints, StoredPoints, first_points

__all__ = ["most_paired", "paired_points"]

# Views at a time: what is computed of them stays in the processor's cache.
_VIEWS = 32
# BLAS starts threads for a larger product, and waiting for them takes longer than the product.
_BLOCK = 16
# A place is told by its pixel, of which there are at most so many in a row.
_PIXELS = 256

_Floats = NDArray[np.float32]
_Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Paired:
    """Points that look alike: of each pair the view, our point and its point."""

    views: _Counts
    ours: _Counts
    theirs: _Counts


def most_paired(points: KeyPoints, starts: Sequence[bytes], most: int) -> list[int]:
    """Return the places in `starts` of the `most` views of which most points pair; ties as they come."""
    order = np.argsort(-paired_points(points, starts), kind="stable")
    return [int(place) for place in order[:most]]


def paired_points(points: KeyPoints, starts: Sequence[bytes]) -> _Counts:
    """Return how many first points of a tattoo pair with those of each view, [views].

    starts: of each view the beginning of its key points' bytes. Pairs are those of `agreeing_points`: by
    Lowe's ratio, and points at one place count once. What cannot be read pairs with nothing.
    """
    ours = first_points(points)
    found = [
        _paired_points(ours, StoredPoints.of(starts[start : start + _VIEWS]))
        for start in range(0, len(starts), _VIEWS)
    ]
    return np.concatenate([np.zeros(0, np.int64), *found])


def _paired_points(ours: KeyPoints, views: StoredPoints) -> _Counts:
    paired = _paired(ours.values.astype(np.float32), views)
    count, own = len(views.counts), _pixels(ours.places)
    their = _pixels(views.places)[paired.views, paired.theirs]
    return np.minimum(_distinct(paired.views, own[paired.ours], count), _distinct(paired.views, their, count))


def _paired(ours: _Floats, views: StoredPoints) -> _Paired:
    """Those of which the nearest point is much nearer than the second nearest one of the same view."""
    distances = _distances(ours, views)
    nearest = distances.argmin(axis=2)[:, :, None]
    first = np.take_along_axis(distances, nearest, 2)[:, :, 0]
    np.put_along_axis(distances, nearest, np.inf, 2)
    second = distances.min(axis=2, initial=np.inf)
    # A view of one point has no second nearest, and pairs with nothing.
    is_clear = (first < RATIO**2 * second) & (views.counts > 1)[:, None]
    view, own = np.nonzero(is_clear)
    return _Paired(view, own, nearest[view, own, 0])


def _distances(ours: _Floats, views: StoredPoints) -> _Floats:
    """[views, n, m] squared distances, infinite where a view has no such point."""
    theirs = views.values.astype(np.float32)
    distances = np.empty((len(theirs), len(ours), FIRST_POINTS), np.float32)
    for row in range(0, len(ours), _BLOCK):
        np.matmul(ours[row : row + _BLOCK], theirs.swapaxes(1, 2), out=distances[:, row : row + _BLOCK])
    squares = np.einsum("vnd,vnd->vn", theirs, theirs)
    squares[np.arange(FIRST_POINTS) >= views.counts[:, None]] = np.inf
    distances *= -2
    distances += squares[:, None]
    distances += (ours**2).sum(axis=1)[:, None]
    return distances


def _pixels(places: _Floats) -> _Counts:
    """One number for each place, the same for places in one pixel; [...] for places [..., 2]."""
    rounded = np.round(places).astype(np.int64)
    return np.asarray(rounded[..., 0] * _PIXELS + rounded[..., 1])


def _distinct(views: _Counts, pixels: _Counts, count: int) -> _Counts:
    """How many different pixels each of `count` views has."""
    different = np.unique(views * _PIXELS**2 + pixels)
    return np.bincount(different // _PIXELS**2, minlength=count)
