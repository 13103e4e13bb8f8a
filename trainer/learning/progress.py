"""How a training goes on: its schedule, the running mean of its weights, and checkpoints to resume from."""

from __future__ import annotations

import math
import os
import time
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

__all__ = ["learning_rate", "MeanWeights", "Checkpoint"]


def learning_rate(step: int, steps: int, *, peak: float, warm_up: int, last: float = 0.02) -> float:
    """Rise to `peak` over `warm_up` steps, then fall by half a cosine to `last` of it."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return peak * (last + (1 - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


class MeanWeights:
    """An exponential mean of a network's weights, which is what is measured and shipped."""

    def __init__(self, network: nn.Module, *, keep: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self._keep = keep
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step; the first ones count more."""
        self.updates += 1
        keep = self._keep * (1 - math.exp(-self.updates / 200))
        for mean, now in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.mul_(keep).add_(now, alpha=1 - keep)
            else:
                mean.copy_(now)


@dataclass(slots=True)
class Checkpoint:
    """A file that a training goes on from, written every so many seconds and whole or not at all."""

    path: Path
    seconds: float = 180.0
    _written: float = field(default_factory=time.monotonic)

    def is_due(self) -> bool:
        """Whether the last one is old enough."""
        return time.monotonic() - self._written >= self.seconds

    def write(self, **parts: Any) -> None:
        """Replace the file."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".partial")
        torch.save(parts, aside)
        os.replace(aside, self.path)
        self._written = time.monotonic()

    def read(self) -> dict[str, Any] | None:
        """What was written last, or None."""
        if not self.path.exists():
            return None
        # Plain tensors and numbers only: a checkpoint runs no code.
        parts: dict[str, Any] = torch.load(self.path, weights_only=True)
        return parts
