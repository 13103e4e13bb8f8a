"""Average precision of a detector: the area below precision by recall. Pure.

Source: Everingham et al., "The PASCAL Visual Object Classes Challenge" (2010), with every point counted. A
tattoo that is passed over, being too faint or of another size, is no miss, and no box on it is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Judged", "judge", "average_precision"]

Boxes = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Judged:
    """The boxes of one picture that count, and how many tattoos there were to find."""

    scores: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    tattoos: int


def judge(
    found: Boxes, scores: Sequence[float], truth: Boxes, counts: Sequence[bool], *, iou: float = 0.5
) -> Judged:
    """Match boxes `found` [n, 4] to `truth` [t, 4], surest first, each to the free tattoo it overlaps most.

    Corners. A tattoo for which `counts` is false takes any number of boxes, which then do not count.
    """
    order = np.argsort(-np.asarray(scores, float), kind="stable")
    overlap = _iou(found, truth)
    is_wanted = np.asarray(counts, bool).reshape(len(truth))
    is_free = is_wanted.copy()
    kept, right = [], []
    for index in order:
        row = overlap[index]
        free = np.where(is_free, row, 0)
        if len(row) and free.max() >= iou:
            is_free[free.argmax()] = False
            right.append(True)
        elif len(row) and np.where(~is_wanted, row, 0).max() >= iou:
            continue
        else:
            right.append(False)
        kept.append(index)
    return Judged(np.asarray(scores, float)[kept], np.array(right, bool), int(is_wanted.sum()))


def average_precision(pictures: Sequence[Judged]) -> float:
    """0..1 over all pictures; NaN where there is no tattoo."""
    tattoos = sum(one.tattoos for one in pictures)
    if tattoos == 0:
        return float("nan")
    scores = np.concatenate([one.scores for one in pictures])
    right = np.concatenate([one.is_right for one in pictures])[np.argsort(-scores, kind="stable")]
    recall = np.cumsum(right) / tattoos
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0) * envelope).sum())


def _iou(one: Boxes, other: Boxes) -> NDArray[np.float64]:
    one, other = np.asarray(one, float).reshape(-1, 4), np.asarray(other, float).reshape(-1, 4)
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (one, other)]
    return np.asarray(shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9))
