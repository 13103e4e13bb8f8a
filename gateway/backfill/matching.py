"""Finding stored observations again in what is seen in the same picture now. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.geometry import Box

__all__ = ["LEAST_OVERLAP", "matched"]

LEAST_OVERLAP = 0.5
"""Intersection over union from which a box seen now is the stored one."""


def matched(stored: Sequence[Box], seen: Sequence[Box]) -> dict[int, int]:
    """Index of a stored box -> index of the box seen at its place; one to one, the best pairs first.

    Only pairs that overlap by LEAST_OVERLAP or more; what is found nowhere is missing. Boxes are pixels of
    the same picture. Of equal pairs the one with the lower indices is taken.
    """
    pairs = sorted(
        (-overlap, at, found)
        for at, box in enumerate(stored)
        for found, other in enumerate(seen)
        if (overlap := box.iou(other)) >= LEAST_OVERLAP
    )
    places: dict[int, int] = {}
    taken: set[int] = set()
    for _, at, found in pairs:
        if at not in places and found not in taken:
            places[at] = found
            taken.add(found)
    return places
