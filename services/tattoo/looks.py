"""Several looks at a picture, in several sizes, which must agree about a tattoo. Pure.

One network draws boxes in each size. Two sizes must agree about a tattoo, and about a large one another
network as well, which gives the probability of ink by cell; docs/tattoo-training.md has what each adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.geometry import Box
from services.tattoo.boxes import BoxFrame, framed, scaled, surest
from services.tattoo.detect import Detection, Heat, ink_inside, outline_inside

__all__ = ["Boxes", "Looked", "looks_at", "read_boxes", "tattoos_of"]

FINE, MIDDLE, COARSE = 640, 320, 224
"""Longer side of the picture in each look, pixels."""

_STRIDE = 32
# Enlarged more than twice, a picture shows nothing that the middle look does not.
_LEAST_FOR_FINE = 320
# Boxes below it say nothing; more of them than that are none.
_LEAST_SCORE = 0.02
_MOST = 300
_LEAST_SIDE = 1.0
# Of boxes in one look that overlap by more, the surest stands for all.
_ALIKE = 0.7
# Two looks mean the same tattoo where their boxes overlap by so much (intersection over union).
_SAME = 0.4
# Of the picture's longer side: boxes below _SMALL the fine look decides, from _LARGE on the coarse one.
_LARGE, _SMALL = 0.2, 0.4


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes of one look."""

    corners: NDArray[np.float64]
    """[n, 4]: left, top, right, bottom, pixels of the picture, inside it."""
    scores: NDArray[np.float64]
    """[n], 0..1."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the looks at one picture gave."""

    boxes: Mapping[int, Boxes]
    """By the look's side: MIDDLE and COARSE, and FINE unless the picture is smaller."""
    heat: Heat


def looks_at(image: NDArray[np.uint8]) -> dict[int, BoxFrame]:
    """Return the looks at `image`, uint8 RGB [height, width, 3], by their sides, the largest first.

    The coarser ones are made of the fine one, and square. That one, which costs most, has as few rows and
    columns as are multiples of 32.
    """
    height, width = image.shape[:2]
    fine = scaled(image, FINE, width, height)
    looks = {FINE: framed(fine, (_filled(fine.shape[0]), _filled(fine.shape[1])), width, height)}
    for side in (MIDDLE, COARSE):
        looks[side] = framed(scaled(fine, side, width, height), (side, side), width, height)
    if max(width, height) < _LEAST_FOR_FINE:
        del looks[FINE]
    return looks


def read_boxes(model: str, outputs: Mapping[str, NDArray[np.float32]], look: BoxFrame) -> Boxes:
    """Return the boxes that the network `model` gave for one look.

    Raises ModelError where it has no output `boxes` (1, 5, places) of finite numbers.
    """
    places = outputs.get("boxes")
    if places is None or places.ndim != 3 or places.shape[:2] != (1, 5) or not np.isfinite(places).all():
        raise ModelError(f"model {model}: it has no output boxes of 1x5xplaces finite numbers")
    center, size, scores = places[0, :2].T, places[0, 2:4].T, places[0, 4].astype(np.float64)
    corners = np.concatenate([center - size / 2, center + size / 2], axis=1).astype(np.float64)
    corners = (corners - [look.left, look.top] * 2) / look.scale
    corners = np.clip(corners, 0, [look.width, look.height] * 2)
    counts = (scores >= _LEAST_SCORE) & (corners[:, 2:] - corners[:, :2] >= _LEAST_SIDE).all(axis=1)
    corners, scores = corners[counts], scores[counts]
    best = surest(corners, scores, _ALIKE)[:_MOST]
    return Boxes(corners[best], scores[best])


def tattoos_of(
    looked: Looked, *, threshold: float, edge: float, overlap: float, most: int
) -> list[Detection]:
    """Return the tattoos of a picture, largest first, at most `most`.

    A small box counts by sqrt(p q) of the fine and the middle look's scores p and q; a large one by
    (p q)^(1/8) h^(1/4) of the middle and the coarse look's, with the mean probability of ink inside, h. The
    powers make one `threshold` serve both. A box is dropped where a surer one overlaps it by more than
    `overlap`; its outline is where ink is likelier than `edge`.
    """
    longer = max(looked.heat.width, looked.heat.height)
    large = _kept(_agreed(looked.boxes[MIDDLE], looked.boxes[COARSE]), longer, least=_LARGE)
    ink = ink_inside(looked.heat, large.corners)
    found = [Boxes(large.corners, large.scores**0.25 * ink**0.25)]
    if FINE in looked.boxes:
        found.append(_kept(_agreed(looked.boxes[FINE], looked.boxes[MIDDLE]), longer, below=_SMALL))
    corners = np.concatenate([one.corners for one in found])
    scores = np.concatenate([one.scores for one in found])
    is_sure = scores >= threshold
    corners, scores = corners[is_sure], scores[is_sure]
    tattoos = [
        Detection(
            Box.from_corners(*map(float, corners[i])),
            float(scores[i]),
            outline_inside(looked.heat, corners[i], edge=edge),
        )
        for i in surest(corners, scores, overlap)
    ]
    return sorted(tattoos, key=lambda one: -one.box.area)[:most]


def _filled(length: int) -> int:
    return -(-length // _STRIDE) * _STRIDE


def _agreed(boxes: Boxes, others: Boxes) -> Boxes:
    """With the geometric mean of each score and the best one of the other look for the same tattoo.

    Corners are the means of both, weighted by their scores.
    """
    weighed = (_ious(boxes.corners, others.corners) > _SAME) * others.scores
    if not weighed.size:
        return Boxes(boxes.corners, np.zeros_like(boxes.scores))
    best = weighed.argmax(axis=1)
    scores = weighed[np.arange(len(best)), best]
    both = boxes.corners * boxes.scores[:, None] + others.corners[best] * scores[:, None]
    return Boxes(both / (boxes.scores + scores)[:, None], np.sqrt(boxes.scores * scores))


def _kept(boxes: Boxes, longer: int, *, least: float = 0.0, below: float = np.inf) -> Boxes:
    """Boxes whose longer side has such a share of `longer`."""
    share = (boxes.corners[:, 2:] - boxes.corners[:, :2]).max(axis=1) / longer
    chosen = (share >= least) & (share < below)
    return Boxes(boxes.corners[chosen], boxes.scores[chosen])


def _ious(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, m] of corners [n, 4] and [m, 4], all of which have an area."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(one[:, 2:] - one[:, :2]).prod(axis=1) for one in (first, second)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None] - shared))
