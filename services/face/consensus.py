"""Which faces are one person's, as the faces themselves say. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["people_among", "majority_of"]

# Fewer faces have no majority that could show one of them to be wrong.
_LEAST_FACES = 3


def people_among(positions: NDArray[np.float64]) -> list[list[int]]:
    """Groups of faces that seem to be one person each, the largest first; rows in order within a group.

    positions: (n, n), symmetric, as `OperatingPoint.position` has it. Average linkage: the two groups with
    the highest mean position between their faces become one, as long as it is above 0, which is what one pair
    of strangers in a hundred reaches. A mean of several pairs of strangers hardly ever does.
    """
    count = len(positions)
    groups = [[index] for index in range(count)]
    sums, sizes = np.array(positions, np.float64), np.ones(count)
    # Of two groups only the place above the diagonal counts; a group that went into another has no place.
    means = np.where(np.triu(np.ones((count, count), np.bool_), 1), sums, -np.inf)
    for _ in range(count - 1):
        first, second = divmod(int(means.argmax()), count)
        if means[first, second] <= 0:
            break
        groups[first] += groups[second]
        groups[second], sizes[first], sizes[second] = [], sizes[first] + sizes[second], np.inf
        sums[first] += sums[second]
        sums[:, first] += sums[:, second]
        fresh = np.where(np.isinf(sizes), -np.inf, sums[first] / (sizes[first] * sizes))
        means[second], means[:, second] = -np.inf, -np.inf
        means[first, first + 1 :], means[:first, first] = fresh[first + 1 :], fresh[:first]
    found = [sorted(group) for group in groups if group]
    return sorted(found, key=lambda group: (-len(group), group))


def majority_of(groups: Sequence[Sequence[int]]) -> Sequence[int] | None:
    """The group that has more than half of the faces; None without one, and where the faces are too few."""
    faces = sum(map(len, groups))
    is_majority = faces >= _LEAST_FACES and 2 * len(groups[0]) > faces
    return groups[0] if is_majority else None
