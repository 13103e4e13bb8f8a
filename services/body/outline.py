"""Convex outlines on a picture: limbs, patches, discs, clipped to what is in view."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chassis.images import cv2

__all__ = ["Outline", "hull", "limb", "disc", "grown", "clip", "area", "unit", "across"]

Outline = NDArray[np.float64]
"""(n, 2) corners in pixels, n >= 3, in order, without the closing point."""

_CORNERS = 12
_SMALLEST = 1e-9


def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction of a (2,) vector; downwards for none at all."""
    length = float(np.linalg.norm(vector))
    return vector / length if length > _SMALLEST else np.array([0.0, 1.0])


def across(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction at a right angle, to the left of one who goes along on a picture."""
    return np.array([direction[1], -direction[0]])


def hull(points: ArrayLike) -> Outline:
    """The convex hull of (n, 2) points."""
    corners = cv2.convexHull(np.asarray(points, np.float32).reshape(-1, 1, 2))
    return np.asarray(corners, np.float64).reshape(-1, 2)


def limb(start: NDArray[np.float64], end: NDArray[np.float64], *, widths: tuple[float, float]) -> Outline:
    """A band from `start` to `end`, as wide there as told, pixels."""
    side = across(unit(end - start)) / 2
    first, last = side * widths[0], side * widths[1]
    return np.array([start - first, start + first, end + last, end - last])


def disc(center: NDArray[np.float64], axis: NDArray[np.float64], *, length: float, width: float) -> Outline:
    """An ellipse of twelve corners whose `length` lies along the direction `axis`, pixels."""
    angles = np.arange(_CORNERS) * (2 * np.pi / _CORNERS)
    along = np.cos(angles)[:, None] * unit(axis) * length / 2
    sideways = np.sin(angles)[:, None] * across(unit(axis)) * width / 2
    outline: Outline = center + along + sideways
    return outline


def grown(points: NDArray[np.float64], radius: float) -> Outline:
    """The hull of (n, 2) points with `radius` pixels of flesh around."""
    circle = disc(np.zeros(2), np.array([0.0, 1.0]), length=2 * radius, width=2 * radius)
    return hull((points[:, None] + circle[None]).reshape(-1, 2))


def clip(outline: Outline, *, width: int, height: int) -> Outline | None:
    """The part of a convex outline inside a picture of that size; None when nothing is."""
    # OpenCV's intersection of convex polygons says now and then that there is none.
    inside = np.asarray(outline, np.float64)
    for axis, limit, sign in ((0, 0, 1), (0, width, -1), (1, 0, 1), (1, height, -1)):
        inside = _beyond(inside, sign * (inside[:, axis] - limit))
        if len(inside) < 3:
            return None
    return np.clip(inside, 0.0, [width, height]) if area(inside) > 0 else None


def _beyond(outline: Outline, distances: NDArray[np.float64]) -> Outline:
    """The part of an outline on one side of a line, where `distances` (n,) of its corners are above 0."""
    if (distances >= 0).all():
        return outline
    corners = []
    for here, after in zip(range(len(outline)), np.roll(np.arange(len(outline)), -1), strict=True):
        if distances[here] >= 0:
            corners.append(outline[here])
        if distances[here] * distances[after] < 0:
            share = distances[here] / (distances[here] - distances[after])
            corners.append(outline[here] + share * (outline[after] - outline[here]))
    return np.array(corners).reshape(-1, 2)


def area(outline: Outline) -> float:
    """Square pixels."""
    x, y = outline[:, 0], outline[:, 1]
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
