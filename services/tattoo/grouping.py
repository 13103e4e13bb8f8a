"""Which of a performer's views show the same tattoo. Pure.

Views are joined bottom up by the mean position of their pairs (average linkage), the most alike first, as
long as that is above 0, which one pair of different tattoos in a hundred reaches. The result depends on the
views alone, not on the order in which they came.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.signal.operating_point import OperatingPoint
from services.tattoo.template import Vector

__all__ = ["UNKNOWN_REGION", "View", "grouped", "arranged"]

UNKNOWN_REGION = "unknown"

_Floats = NDArray[np.float64]
_Groups = list[list[int]]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One view of a tattoo as the primary embedder describes it."""

    key: str
    """What orders views, and is different for each: made of image and box."""
    image_hash: str
    region: str
    """The contract's BodyRegion in lower case."""
    vector: Vector
    tattoo_id: str
    """The tattoo that it is filed under."""
    is_pinned: bool = False
    """Whether the owner has said that it belongs there."""
    seq: int = 0
    """Of its row: lower is older."""


def grouped(views: Sequence[View], point: OperatingPoint) -> _Groups:
    """Places of the views of each tattoo, each view once; groups and views in the order of their keys.

    What the owner pinned to one tattoo is together, and to two apart. Otherwise a tattoo elsewhere on the
    body is another one, as far as both places are known, and so is one that the same image shows beside it.
    """
    order = sorted(range(len(views)), key=lambda place: views[place].key)
    ordered = [views[place] for place in order]
    positions = _positions(ordered, point)
    groups = [group for part in _parts(_atoms(ordered), positions) for group in _joined(part, positions)]
    return sorted(sorted(order[place] for place in group) for group in groups)


def arranged(
    views: Sequence[View], point: OperatingPoint, *, new_id: Callable[[], str] = lambda: str(uuid.uuid4())
) -> list[str]:
    """The tattoo of each view. A group keeps the id that most of its views have, of two the older one;
    pinned views keep theirs.
    """
    ids = [view.tattoo_id for view in views]
    groups = sorted(grouped(views, point), key=lambda group: _precedence(group, views))
    taken: set[str] = set()
    for group in groups:
        found = _id_of([views[place] for place in group], taken) or new_id()
        taken.add(found)
        for place in group:
            ids[place] = found
    return ids


def _precedence(group: Sequence[int], views: Sequence[View]) -> tuple[bool, int, str]:
    """Groups that the owner knows choose their ids first, then the largest ones."""
    has_pinned = any(views[place].is_pinned for place in group)
    return (not has_pinned, -len(group), min(views[place].key for place in group))


def _id_of(group: Sequence[View], taken: set[str]) -> str | None:
    pinned = [view for view in group if view.is_pinned]
    known = pinned or [view for view in group if view.tattoo_id not in taken]
    counts = Counter(view.tattoo_id for view in known)
    ages = {view.tattoo_id: view.seq for view in sorted(known, key=lambda view: -view.seq)}
    return min(counts, key=lambda one: (-counts[one], ages[one], one), default=None)


def _positions(views: Sequence[View], point: OperatingPoint) -> _Floats:
    """(n, n) positions of all pairs; minus infinity for two that cannot show the same tattoo."""
    if not views:
        return np.zeros((0, 0))
    vectors = np.stack([view.vector for view in views]).astype(np.float64)
    # Rounded, so that the last bits of a sum decide nothing.
    positions: _Floats = np.round(point.position(vectors @ vectors.T), 6)
    regions = np.array([view.region for view in views])
    images = np.array([view.image_hash for view in views])
    pins = np.array([view.tattoo_id if view.is_pinned else "" for view in views])
    is_placed, is_pinned = regions != UNKNOWN_REGION, pins != ""
    elsewhere = (regions[:, None] != regions) & is_placed[:, None] & is_placed
    beside = images[:, None] == images
    apart = (pins[:, None] != pins) & is_pinned[:, None] & is_pinned
    positions[elsewhere | beside | apart] = -np.inf
    return positions


def _atoms(views: Sequence[View]) -> _Groups:
    """What is together before anything is compared: the pinned views of one tattoo, and every other view."""
    atoms: dict[str, list[int]] = {}
    for place, view in enumerate(views):
        atoms.setdefault(view.tattoo_id if view.is_pinned else f"view {place}", []).append(place)
    return list(atoms.values())


def _parts(atoms: _Groups, positions: _Floats) -> list[_Groups]:
    """Atoms that chains of likeness connect: no two of different parts can be joined."""
    left, parts = list(atoms), []
    while left:
        part, reached = [left.pop(0)], 0
        while reached < len(part):
            alike = positions[part[reached]].max(axis=0) > 0
            part += [atom for atom in left if alike[atom].any()]
            left = [atom for atom in left if not alike[atom].any()]
            reached += 1
        parts.append(sorted(part))
    return parts


def _means(groups: _Groups, positions: _Floats) -> _Floats:
    """(n, n) mean positions between groups; minus infinity where any pair is apart, and on the diagonal."""
    members = np.zeros((len(groups), len(positions)))
    for row, group in enumerate(groups):
        members[row, group] = 1 / len(group)
    is_apart = np.isinf(positions)
    means: _Floats = members @ np.where(is_apart, 0.0, positions) @ members.T
    means[members @ is_apart @ members.T > 0] = -np.inf
    np.fill_diagonal(means, -np.inf)
    return means


def _joined(atoms: _Groups, positions: _Floats) -> _Groups:
    """Join the pair of groups with the highest mean position while that is above 0; ties by order."""
    groups = list(atoms)
    means = _means(groups, positions)
    while len(groups) > 1 and means.max() > 0:
        first, second = sorted(int(place) for place in np.unravel_index(int(means.argmax()), means.shape))
        sizes = len(groups[first]), len(groups[second])
        joined = (means[first] * sizes[0] + means[second] * sizes[1]) / sum(sizes)
        joined[first] = -np.inf
        groups[first] = sorted(groups[first] + groups[second])
        means[first], means[:, first] = joined, joined
        del groups[second]
        means = np.delete(np.delete(means, second, axis=0), second, axis=1)
    return groups
