"""The embedder's network: MobileNetV2, and a projection to 512 values that begins as the one before it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from services.tattoo.networks import DIMENSION
from trainer.learning.mobilenet import Backbone, State

__all__ = ["Embedder"]

_POOLED = 1280


class Embedder(nn.Module):
    """RGB crops (n, 3, side, side), values 0..1, to unit vectors (n, 512).

    projection: `mean` [1280] and `projection` [1280, 512] of the embedder that it begins as; None: random.
    """

    def __init__(
        self, state: State | None, projection: Mapping[str, NDArray[np.floating]] | None, *, frozen: int = 7
    ) -> None:
        super().__init__()
        self.backbone = Backbone(state, frozen=frozen, head=True)
        self.projection = nn.Linear(_POOLED, DIMENSION)
        if projection is not None:
            weights = torch.from_numpy(np.asarray(projection["projection"], np.float32))
            mean = torch.from_numpy(np.asarray(projection["mean"], np.float32))
            with torch.no_grad():
                self.projection.weight.copy_(weights.T)
                self.projection.bias.copy_(-mean @ weights)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        pooled = nn.functional.normalize(self.backbone(crops).mean(dim=(2, 3)), dim=1)
        return nn.functional.normalize(self.projection(pooled), dim=1)
