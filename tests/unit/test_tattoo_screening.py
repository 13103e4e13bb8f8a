"""Views that may show the same tattoo, by their first key points."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from services.tattoo.key_points import FIRST_BYTES, KeyPoints, find_key_points, first_points, to_bytes
from services.tattoo.screening import most_paired, paired_points
from tests.fakes.drawings import drawing, turned


def start(points: KeyPoints) -> bytes:
    """As the database gives it."""
    return to_bytes(points)[:FIRST_BYTES]


def paired_one_by_one(one: KeyPoints, other: KeyPoints) -> int:
    """What `paired_points` counts, written down plainly."""
    mine, theirs = set(), set()
    ours, views = first_points(one), first_points(other)
    for place, value in zip(ours.places, ours.values.astype(np.float64), strict=True):
        distances: NDArray[np.float64] = ((views.values - value) ** 2).sum(axis=1)
        if len(distances) < 2:
            continue
        nearest, second = np.argsort(distances, kind="stable")[:2]
        if distances[nearest] < 0.64 * distances[second]:
            mine.add(tuple(np.round(place)))
            theirs.add(tuple(np.round(views.places[nearest])))
    return min(len(mine), len(theirs))


def test_all_views_at_once_are_counted_as_each_is() -> None:
    """More views than are compared at a time, of many points, of few, and of one."""
    views = [find_key_points(drawing(seed)) for seed in range(30)]
    views += [KeyPoints(one.places[:many], one.values[:many]) for many in (1, 2, 7) for one in views[:2]]
    probe = find_key_points(turned(drawing(3)))
    counts = paired_points(probe, [start(one) for one in views])
    assert counts.tolist() == [paired_one_by_one(probe, one) for one in views]


def test_the_same_drawing_pairs_most() -> None:
    """Turned by 30 degrees, among 50 others; of equal ones the first."""
    starts = [start(find_key_points(drawing(seed))) for seed in range(50)]
    probe = find_key_points(turned(drawing(41)))
    counts = paired_points(probe, starts)
    first, second = most_paired(probe, starts, 2)
    assert first == 41
    assert counts[41] > 2 * counts[second]
    assert most_paired(probe, [starts[7]] * 5, 3) == [0, 1, 2]


@pytest.mark.parametrize(
    "damaged", [b"", b"12", b"\xff" * 132 * 60], ids=["empty", "cut off", "wrong places"]
)
def test_what_is_damaged_is_no_error(damaged: bytes) -> None:
    """It pairs with nothing, or with what its values say; the others count as before."""
    probe = find_key_points(drawing(1))
    whole = start(probe)
    counts = paired_points(probe, [damaged, whole])
    assert counts[1] == paired_points(probe, [whole])[0] > 20
    assert counts[0] <= 1


def test_without_points_or_views_nothing_pairs() -> None:
    """Neither is an error."""
    nothing = find_key_points(np.full((60, 60, 3), 128, np.uint8))
    points = find_key_points(drawing(1))
    assert len(nothing) == 0
    assert paired_points(nothing, [start(points)]).tolist() == [0]
    assert paired_points(points, []).tolist() == []
    assert most_paired(points, [], 3) == []
