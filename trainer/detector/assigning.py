"""Which places of the grids learn which tattoo, and how much: task-aligned assignment.

A tattoo's places are those inside its box where score and box agree best with it. Source: Feng et al., "TOOD:
Task-aligned One-stage Object Detection" (2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["Assigned", "assign", "paired_iou"]

_SCORE_POWER, _OVERLAP_POWER = 0.5, 4.0
_PLACES_EACH = 10
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Assigned:
    """For every place of one picture."""

    target: torch.Tensor
    """[places]: the score to learn, 0..1; 0 where there is no tattoo."""
    box: torch.Tensor
    """[places, 4]: the box to learn where target > 0."""
    counts: torch.Tensor
    """[places]: 1, or 0 where a tattoo is that nobody must find and nobody must deny."""


@torch.no_grad()
def assign(
    scores: torch.Tensor,
    boxes: torch.Tensor,
    middles: torch.Tensor,
    truth: torch.Tensor,
    ignored: torch.Tensor,
) -> Assigned:
    """Assign places with `scores` [n] 0..1 and `boxes` [n, 4], whose middles are [n, 2], to `truth` [t, 4].

    `ignored` [i, 4]: boxes of tattoos that count neither way. Corners in pixels of the input.
    """
    counts = (~_inside(middles, ignored).any(dim=0)).float()
    target, box = torch.zeros_like(scores), torch.zeros_like(boxes)
    if len(truth) == 0:
        return Assigned(target, box, counts)
    overlap = paired_iou(truth, boxes)
    may = _inside(middles, truth) | _nearest(middles, truth)
    alignment = scores.clamp(min=_TINY).pow(_SCORE_POWER) * overlap.pow(_OVERLAP_POWER) * may + _TINY * may
    chosen = torch.zeros_like(may)
    best = alignment.topk(min(_PLACES_EACH, alignment.shape[1]), dim=1).indices
    chosen.scatter_(1, best, True)
    chosen &= may
    owner = torch.where(chosen, overlap + _TINY, torch.zeros_like(overlap)).max(dim=0)
    is_taken = owner.values > 0
    strongest = (alignment * chosen).max(dim=1, keepdim=True).values.clamp(min=_TINY)
    closest = (overlap * chosen).max(dim=1, keepdim=True).values.clamp(min=0.05)
    strength = (alignment / strongest * closest * chosen).gather(0, owner.indices[None])[0]
    target[is_taken] = strength[is_taken].clamp(0, 1)
    box[is_taken] = truth[owner.indices[is_taken]]
    return Assigned(target, box, torch.where(is_taken, torch.ones_like(counts), counts))


def paired_iou(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Intersection over union (a, b) of boxes (a, 4) and (b, 4)."""
    low = torch.maximum(one[:, None, :2], other[None, :, :2])
    high = torch.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=2)
    return shared / (_area(one)[:, None] + _area(other)[None] - shared).clamp(min=_TINY)


def _area(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)


def _inside(middles: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """(boxes, places): whether a place's middle is in a box."""
    if len(boxes) == 0:
        return torch.zeros((0, len(middles)), dtype=torch.bool)
    low, high = middles[None] >= boxes[:, None, :2], middles[None] <= boxes[:, None, 2:]
    return low.all(dim=2) & high.all(dim=2)


def _nearest(middles: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """The place next to each box's middle: a box between places has one, too."""
    distance = torch.cdist((boxes[:, :2] + boxes[:, 2:]) / 2, middles)
    is_nearest = torch.zeros_like(distance, dtype=torch.bool)
    return is_nearest.scatter_(1, distance.argmin(dim=1, keepdim=True), True)
