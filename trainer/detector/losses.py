"""What the detector is told about a batch: how wrong its scores and its boxes are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from trainer.detector.assigning import assign

__all__ = ["detection_loss"]

_BOX_WEIGHT = 2.0
_TINY = 1e-7


def detection_loss(
    logits: torch.Tensor,
    boxes: torch.Tensor,
    middles: torch.Tensor,
    truth: Sequence[torch.Tensor],
    ignored: Sequence[torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the losses of scores and of boxes of a batch, each a mean over what is to be learned.

    logits (n, places), boxes (n, places, 4), middles (places, 2); `truth`, `ignored` hold (t, 4) a picture.
    Scores: binary cross-entropy with the assigned strength. Boxes: 1 - generalised IoU (Rezatofighi, 2019).
    """
    found = [
        assign(score.sigmoid(), box, middles, boxes_there, passed)
        for score, box, boxes_there, passed in zip(
            logits.detach(), boxes.detach(), truth, ignored, strict=True
        )
    ]
    target = torch.stack([one.target for one in found])
    counts = torch.stack([one.counts for one in found])
    total = target.sum().clamp(min=1.0)
    scores = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    is_there = target > 0
    goal = torch.stack([one.box for one in found])[is_there]
    distance = (1 - _generalised_iou(boxes[is_there], goal)) * target[is_there]
    return (scores * counts).sum() / total, _BOX_WEIGHT * distance.sum() / total


def _generalised_iou(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """(n,) of boxes (n, 4) and (n, 4): -1..1."""
    low, high = torch.maximum(one[:, :2], other[:, :2]), torch.minimum(one[:, 2:], other[:, 2:])
    shared = (high - low).clamp(min=0).prod(dim=1)
    areas = [(box[:, 2:] - box[:, :2]).clamp(min=0).prod(dim=1) for box in (one, other)]
    union = areas[0] + areas[1] - shared
    hull = (torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])).prod(dim=1)
    return shared / (union + _TINY) - (hull - union) / (hull + _TINY)
