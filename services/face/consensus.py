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
    groups = [[index] for index in range(len(positions))]
    sums = np.array(positions, np.float64)
    while len(groups) > 1:
        sizes = np.array([len(group) for group in groups], np.float64)
        means = sums / np.outer(sizes, sizes)
        means[np.tril_indices(len(groups))] = -np.inf
        first, second = np.unravel_index(int(means.argmax()), means.shape)
        if means[first, second] <= 0:
            break
        sums[first] += sums[second]
        sums[:, first] += sums[:, second]
        sums = np.delete(np.delete(sums, second, axis=0), second, axis=1)
        groups[first] = sorted(groups[first] + groups.pop(second))
    return sorted(groups, key=lambda group: (-len(group), group))


def majority_of(groups: Sequence[Sequence[int]]) -> Sequence[int] | None:
    """The group that has more than half of the faces; None without one, and where the faces are too few."""
    faces = sum(map(len, groups))
    is_majority = faces >= _LEAST_FACES and 2 * len(groups[0]) > faces
    return groups[0] if is_majority else None
