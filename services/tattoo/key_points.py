"""Points of a tattoo that can be found again in another picture of it, and their bytes. Pure.

SIFT (Lowe 2004): places where brightness changes in every direction, each with a histogram of the gradients
around it that scale, turning and light leave as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from chassis.images import cv2

__all__ = [
    "FIRST_BYTES",
    "FIRST_POINTS",
    "MOST_BYTES",
    "MOST_POINTS",
    "VERSION",
    "KeyPoints",
    "StoredPoints",
    "find_key_points",
    "first_points",
    "from_bytes",
    "to_bytes",
]

VERSION = "sift.1"
"""Raised when anything changes that decides places or values: points found before and after never meet."""
MOST_POINTS = 200
"""That are accepted of one tattoo."""
MOST_BYTES = 65536
"""That are accepted of one tattoo, of any version."""

_SIDE = 192
# The strongest of each kind that are kept. Fine ones tell most, and a blurred picture has only coarse ones.
_FINE, _COARSE = 100, 60
_COARSE_SIZE = 6.0
_LEAST_SIDE = 16
# Of faded ink, too; SIFT's own value is 0.04.
_CONTRAST = 0.02
_VALUES = 128
# Parts of a pixel that a place is told in.
_PARTS = 64
_POINT = np.dtype([("place", "<i2", 2), ("values", "u1", _VALUES)])

FIRST_POINTS = _COARSE
"""Points that a tattoo begins with: the strongest coarse ones, where it has so many."""
FIRST_BYTES = FIRST_POINTS * _POINT.itemsize
"""Bytes of these."""


@dataclass(frozen=True, slots=True, eq=False)
class KeyPoints:
    """Places [n, 2], float32: x and y in pixels of the crop scaled so that its longer side has 192; values
    [n, 128], uint8.
    """

    places: NDArray[np.float32]
    values: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.places)

    def __repr__(self) -> str:
        return f"<KeyPoints, {len(self)}>"


@dataclass(frozen=True, slots=True, eq=False)
class StoredPoints:
    """First points of many views at once, as their bytes tell them."""

    places: NDArray[np.float32]
    """[views, 60, 2]; see `KeyPoints`."""
    values: NDArray[np.uint8]
    """[views, 60, 128]; 0 where a view has fewer points."""
    counts: NDArray[np.int64]
    """[views]: how many each has; 0 where the bytes are damaged."""

    @classmethod
    def of(cls, starts: Sequence[bytes]) -> Self:
        """Of the beginning of each view's bytes."""
        packed = np.zeros((len(starts), FIRST_POINTS), _POINT)
        counts = np.zeros(len(starts), np.int64)
        for view, start in enumerate(starts):
            if len(start) % _POINT.itemsize == 0:
                points = np.frombuffer(start[:FIRST_BYTES], _POINT)
                packed[view, : len(points)], counts[view] = points, len(points)
        places = np.clip(packed["place"] / _PARTS, 0, _SIDE)
        return cls(places.astype(np.float32), np.ascontiguousarray(packed["values"]), counts)


def first_points(points: KeyPoints) -> KeyPoints:
    """The first 60."""
    return KeyPoints(points.places[:FIRST_POINTS], points.values[:FIRST_POINTS])


def find_key_points(crop: NDArray[np.uint8]) -> KeyPoints:
    """Return at most 160 points, possibly none, of uint8 RGB `crop` [height, width, 3], the tattoo's box.

    What is returned is what `from_bytes` reads from its bytes.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    scale = _SIDE / max(grey.shape)
    size = [max(_LEAST_SIDE, round(side * scale)) for side in grey.shape[::-1]]
    scaled = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    sift = cv2.SIFT.create(contrastThreshold=_CONTRAST)
    chosen = _chosen(sift.detect(scaled, None))
    if not chosen:
        return KeyPoints(np.zeros((0, 2), np.float32), np.zeros((0, _VALUES), np.uint8))
    found, values = sift.compute(scaled, chosen)
    places = np.array([point.pt for point in found], np.float32)
    rounded = np.clip(np.round(places * _PARTS), 0, _SIDE * _PARTS) / _PARTS
    return KeyPoints(rounded.astype(np.float32), np.asarray(values).astype(np.uint8))


def _chosen(found: Sequence[cv2.KeyPoint]) -> list[cv2.KeyPoint]:
    """The strongest fine and coarse points; where there are few of one kind, more of the other."""
    strongest = sorted(found, key=lambda point: (-point.response, point.pt, point.angle))
    coarse = [point for point in strongest if point.size >= _COARSE_SIZE]
    fine = [point for point in strongest if point.size < _COARSE_SIZE]
    most_fine = _FINE + max(0, _COARSE - len(coarse))
    most_coarse = _COARSE + max(0, _FINE - len(fine))
    return coarse[:most_coarse] + fine[:most_fine]


def to_bytes(points: KeyPoints) -> bytes:
    """132 bytes a point; see the contract's KeyPoints."""
    packed = np.empty(len(points), _POINT)
    packed["place"] = np.round(points.places * _PARTS)
    packed["values"] = points.values
    return packed.tobytes()


def from_bytes(data: bytes) -> KeyPoints:
    """The inverse. Raises InvalidInput: no points, too many, a part of one, or a place that is outside."""
    if not data or len(data) % _POINT.itemsize:
        raise InvalidInput(f"key_points.points: {len(data)} bytes, not {_POINT.itemsize} for each point")
    packed = np.frombuffer(data, _POINT)
    if len(packed) > MOST_POINTS:
        raise InvalidInput(f"key_points.points: {len(packed)} points, more than {MOST_POINTS}")
    places = (packed["place"] / _PARTS).astype(np.float32)
    if (places < 0).any() or (places > _SIDE).any():
        raise InvalidInput(f"key_points.points: a place is not in 0..{_SIDE}")
    return KeyPoints(places, packed["values"].copy())
