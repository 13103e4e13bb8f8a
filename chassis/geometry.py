"""Boxes and points in pixels of the picture as it is shown."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Box", "Point", "union"]


@dataclass(frozen=True, slots=True)
class Point:
    """A place: pixels from the left and the top edge."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: top left corner, width and height, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def from_corners(cls, left: float, top: float, right: float, bottom: float) -> Box:
        """The box between two corners; sides that are the wrong way round become 0."""
        return cls(left, top, max(0.0, right - left), max(0.0, bottom - top))

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def area(self) -> float:
        """Square pixels."""
        return self.width * self.height

    @property
    def center(self) -> Point:
        return Point(self.x + self.width / 2, self.y + self.height / 2)

    def intersection(self, other: Box) -> Box:
        """What both cover; width or height 0 when nothing."""
        return Box.from_corners(
            max(self.x, other.x),
            max(self.y, other.y),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def iou(self, other: Box) -> float:
        """Intersection over union, 0..1; 0 for two empty boxes."""
        shared = self.intersection(other).area
        total = self.area + other.area - shared
        return shared / total if total > 0 else 0.0

    def contains(self, point: Point) -> bool:
        """Whether the point lies inside or on the edge."""
        return self.x <= point.x <= self.right and self.y <= point.y <= self.bottom

    def scaled(self, factor: float) -> Box:
        """The box of the same center with both sides times `factor`."""
        width, height = self.width * factor, self.height * factor
        return Box(self.center.x - width / 2, self.center.y - height / 2, width, height)


def union(boxes: list[Box]) -> Box:
    """The least box around all of `boxes`, which must not be empty."""
    return Box.from_corners(
        min(box.x for box in boxes),
        min(box.y for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )
