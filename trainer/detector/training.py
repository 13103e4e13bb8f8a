"""The training of the detector's head: a batch of windows a step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from trainer.detector.losses import detection_loss
from trainer.detector.network import STRIDES, Head, places
from trainer.detector.windows import FULL, Batch, Windows
from trainer.learning.loop import Course, Plan, run
from trainer.learning.progress import Checkpoint

__all__ = ["DetectorPlan", "train", "load_trained"]

_LARGEST_GRADIENT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorPlan(Plan):
    """Everything that decides what comes out, beside the windows."""

    pixels: int = 1_640_000
    """Of a step's windows together: 16 of 320 x 320."""
    steps: int = 8000
    warm_up: int = 200
    peak: float = 2e-3
    keep: float = 0.999


def train(
    plan: DetectorPlan,
    windows: Windows,
    *,
    checkpoint: Checkpoint,
    start: Head | None = None,
    workers: int = 1,
    until: int | None = None,
) -> Head:
    """Train and return the mean network; see `loop.run`. `start`: of another training, to begin with."""
    torch.manual_seed(plan.seed)
    head = (start or Head()).to(memory_format=torch.channels_last)
    weights = list(head.parameters())
    course = Course(
        network=head,
        groups=[
            {"params": [one for one in weights if one.ndim > 1], "share": 1.0},
            {"params": [one for one in weights if one.ndim <= 1], "share": 1.0, "weight_decay": 0.0},
        ],
        draw=lambda rng: windows.draw(rng, plan.pixels),
        losses=_losses,
        largest_gradient=_LARGEST_GRADIENT,
    )
    return run(plan, course, checkpoint, workers=workers, until=until)


def load_trained(checkpoint: Checkpoint) -> Head:
    """The mean network of a checkpoint. Raises FileNotFoundError where there is none."""
    kept = checkpoint.read()
    if kept is None:
        raise FileNotFoundError(f"{checkpoint.path} is not there: train first")
    head = Head()
    head.load_state_dict(kept["mean"])
    return head.eval()


def _losses(head: Head, batch: Batch) -> dict[str, torch.Tensor]:
    logits, boxes = head([_activations(level) for level in batch.levels])
    middles = torch.cat([places(batch.side // stride, batch.side // stride, stride) for stride in STRIDES])
    truth = [torch.from_numpy(np.array(one)) for one in batch.boxes]
    ignored = [torch.from_numpy(np.array(one)) for one in batch.ignored]
    scores, distance = detection_loss(logits, boxes, middles, truth, ignored)
    return {"scores": scores, "boxes": distance}


def _activations(level: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> torch.Tensor:
    """(n, channels, rows, columns), 0..FULL, in memory channels last."""
    return torch.from_numpy(level).float().mul_(FULL / 255).permute(0, 3, 1, 2)
