"""Points and outlines in pixels, vectorised: what association, regions and coverage measure with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box, Point

__all__ = ["Points", "points_of", "grid", "inside", "is_inside", "inside_any", "distance_to_outline"]

Points = NDArray[np.float64]
"""(n, 2): x and y in pixels."""


def points_of(points: Sequence[Point]) -> Points:
    """(n, 2) of the points given."""
    return np.array([(point.x, point.y) for point in points], np.float64).reshape(-1, 2)


def grid(box: Box, per_side: int) -> Points:
    """The centers of `per_side` x `per_side` equal cells of the box."""
    steps = (np.arange(per_side) + 0.5) / per_side
    x, y = np.meshgrid(box.x + steps * box.width, box.y + steps * box.height)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def inside(points: Points, outline: Sequence[Point]) -> NDArray[np.bool_]:
    """Which points lie inside a simple polygon (even-odd rule); fewer than 3 corners enclose nothing."""
    if len(outline) < 3:
        return np.zeros(len(points), np.bool_)
    x, y = points[:, :1], points[:, 1:]
    (x1, y1), (x2, y2) = points_of(outline).T, points_of((*outline[1:], outline[0])).T
    crosses = (y1 > y) != (y2 > y)
    # Only edges that cross the point's height count; the others might divide by next to nothing.
    rise = np.where(crosses, y2 - y1, 1.0)
    is_right = x < x1 + np.where(crosses, y - y1, 0.0) * (x2 - x1) / rise
    return np.asarray((crosses & is_right).sum(axis=1) % 2 == 1)


def is_inside(point: Point, outline: Sequence[Point]) -> bool:
    """The same for one point, without the cost of arrays."""
    following = (*outline[1:], *outline[:1])
    crossings = sum(
        (b.y > point.y) != (a.y > point.y) and point.x < a.x + (point.y - a.y) * (b.x - a.x) / (b.y - a.y)
        for a, b in zip(outline, following, strict=True)
    )
    return len(outline) >= 3 and crossings % 2 == 1


def inside_any(points: Points, outlines: Sequence[Sequence[Point]]) -> NDArray[np.bool_]:
    """Which points lie inside at least one of the outlines."""
    covered = np.zeros(len(points), np.bool_)
    for outline in outlines:
        covered |= inside(points, outline)
    return covered


def distance_to_outline(point: Point, outline: Sequence[Point]) -> float:
    """Pixels from the point to the nearest edge of the polygon."""
    start = points_of(outline)
    edge = points_of((*outline[1:], *outline[:1])) - start
    offset = np.array([point.x, point.y]) - start
    length = np.maximum((edge**2).sum(axis=1), 1e-12)
    along = np.clip((offset * edge).sum(axis=1) / length, 0.0, 1.0)
    return float(np.sqrt(((offset - along[:, None] * edge) ** 2).sum(axis=1)).min())
