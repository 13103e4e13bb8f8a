"""The detector's network: MobileNetV2 as it is, a neck that joins its scales, a box and a score a place.

No anchors. The backbone keeps ImageNet's weights: what renders and drawings would teach it does not hold in
photographs. Sources: for the neck Liu et al., "Path Aggregation Network for Instance Segmentation" (2018),
for the head Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (2021). 0.2 million weights are trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from trainer.learning.mobilenet import EXPANDED, Backbone, State

__all__ = ["STRIDES", "Head", "Detector", "ExportedDetector", "places"]

STRIDES = (8, 16, 32)
_WIDTH = 64
# Whole channels of the backbone vanish in training, so that no single one may carry the answer.
_DROPOUT = 0.1
# The score that a place begins with: most of them are no tattoo.
_PRIOR = 0.01
_LARGEST_EXPONENT = 6.0


class Head(nn.Module):
    """What is trained: from `Backbone.expansions` to logits (n, places) and boxes (n, places, 4).

    A box is left, top, right, bottom in pixels of the input. Places go by stride, then row by row.
    """

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout2d(_DROPOUT)
        self.lateral = nn.ModuleList(_normed(width, _WIDTH, 1) for width in EXPANDED)
        self.down = nn.ModuleList(_separable(_WIDTH, _WIDTH) for _ in range(2))
        self.shrink = nn.ModuleList(_separable(_WIDTH, _WIDTH, stride=2) for _ in range(2))
        self.up = nn.ModuleList(_separable(_WIDTH, _WIDTH) for _ in range(2))
        self.towers = nn.ModuleList(_tower() for _ in STRIDES)
        self.scores = nn.ModuleList(nn.Conv2d(_WIDTH, 1, 1) for _ in STRIDES)
        self.sides = nn.ModuleList(nn.Conv2d(_WIDTH, 4, 1) for _ in STRIDES)
        for score, side in zip(self.scores, self.sides, strict=True):
            nn.init.normal_(score.weight, std=0.01)
            nn.init.constant_(score.bias, math.log(_PRIOR / (1 - _PRIOR)))
            nn.init.normal_(side.weight, std=0.01)
            nn.init.constant_(side.bias, 1.0)

    def forward(self, expansions: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        logits, boxes = [], []
        for index, level in enumerate(self._levels(expansions)):
            stride = STRIDES[index]
            hidden = self.towers[index](level)
            logits.append(self.scores[index](hidden).flatten(1))
            sides = self.sides[index](hidden).clamp(max=_LARGEST_EXPONENT).exp() * stride
            middle = places(level.shape[2], level.shape[3], stride).to(sides)
            left, top, right, bottom = sides.flatten(2).unbind(1)
            x, y = middle[:, 0], middle[:, 1]
            boxes.append(torch.stack([x - left, y - top, x + right, y + bottom], dim=2))
        return torch.cat(logits, dim=1), torch.cat(boxes, dim=1)

    def _levels(self, expansions: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        fine, middle, coarse = (
            lateral(self.dropout(level)) for lateral, level in zip(self.lateral, expansions, strict=True)
        )
        middle = self.down[0](middle + _doubled(coarse))
        fine = self.down[1](fine + _doubled(middle))
        middle = self.up[0](middle + self.shrink[0](fine))
        coarse = self.up[1](coarse + self.shrink[1](middle))
        return [fine, middle, coarse]


class Detector(nn.Module):
    """Pictures (n, 3, h, w), 0..1, sides multiples of 32, to what `Head` gives."""

    def __init__(self, state: State | None = None, head: Head | None = None) -> None:
        super().__init__()
        self.backbone = Backbone(state)
        self.head = head or Head()

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found: tuple[torch.Tensor, torch.Tensor] = self.head(self.backbone.expansions(pictures))
        return found


class ExportedDetector(nn.Module):
    """The network with its decoding inside: YOLOv8's output, (n, 5, places): centre, size, probability."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits, boxes = self.detector(pictures)
        corner, opposite = boxes[..., :2], boxes[..., 2:]
        parts = [(corner + opposite) / 2, opposite - corner, logits.sigmoid().unsqueeze(2)]
        return torch.cat(parts, dim=2).transpose(1, 2)


def places(rows: int, columns: int, stride: int) -> torch.Tensor:
    """Middles (rows x columns, 2) of the cells of a grid, x and y in pixels of the input."""
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return (torch.stack([x, y], dim=2).reshape(-1, 2).float() + 0.5) * stride


def _doubled(level: torch.Tensor) -> torch.Tensor:
    return nn.functional.interpolate(level, scale_factor=2.0, mode="nearest")


def _tower() -> nn.Sequential:
    return nn.Sequential(_separable(_WIDTH, _WIDTH), _separable(_WIDTH, _WIDTH))


def _separable(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        _normed(inputs, inputs, 3, stride=stride, groups=inputs), _normed(inputs, outputs, 1)
    )


def _normed(inputs: int, outputs: int, side: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, momentum=0.03), nn.Hardswish())
