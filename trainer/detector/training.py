"""The detector's training: a batch of windows a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from trainer.detector.lessons import Lesson, draw_lesson
from trainer.detector.losses import detection_loss
from trainer.detector.network import STRIDES, Detector, places
from trainer.learning.loop import Course, Plan, run
from trainer.learning.mobilenet import State
from trainer.learning.progress import Checkpoint
from trainer.learning.truth import Picture

__all__ = ["DetectorPlan", "train", "load_trained"]

_LARGEST_GRADIENT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorPlan(Plan):
    """Everything that decides what comes out, beside the pictures."""

    sides: tuple[int, ...] = (288, 352, 448, 640)
    """Of a step's windows, pixels, multiples of 32: each step draws one. At 640 large ones are seen whole."""
    pixels: int = 1_500_000
    """Of a step's windows together: more of them where they are small."""
    steps: int = 3200
    warm_up: int = 100
    peak: float = 2e-3
    keep: float = 0.998


def train(
    plan: DetectorPlan,
    pictures: Sequence[Picture],
    *,
    state: State | None,
    checkpoint: Checkpoint,
    start: Checkpoint | None = None,
    workers: int = 1,
    until: int | None = None,
) -> Detector:
    """Train and return the mean network; see `loop.run`. `start`: another training, to begin with its mean.

    Raises FileNotFoundError where that is not there.
    """
    torch.manual_seed(plan.seed)
    network = Detector(state, frozen=plan.frozen).to(memory_format=torch.channels_last)
    if start is not None:
        network.load_state_dict(load_trained(start).state_dict())
    backbone = [one for one in network.backbone.parameters() if one.requires_grad]
    others = [one for name, one in network.named_parameters() if not name.startswith("backbone")]
    course = Course(
        network=network,
        groups=[
            {"params": backbone, "share": plan.backbone_share},
            {"params": [one for one in others if one.ndim > 1], "share": 1.0},
            {"params": [one for one in others if one.ndim <= 1], "share": 1.0, "weight_decay": 0.0},
        ],
        draw=partial(_draw, plan, pictures),
        losses=_losses,
        largest_gradient=_LARGEST_GRADIENT,
    )
    return run(plan, course, checkpoint, workers=workers, until=until)


def load_trained(checkpoint: Checkpoint) -> Detector:
    """The mean network of a checkpoint. Raises FileNotFoundError where there is none."""
    kept = checkpoint.read()
    if kept is None:
        raise FileNotFoundError(f"{checkpoint.path} is not there: train first")
    network = Detector()
    network.load_state_dict(kept["mean"])
    return network.eval()


def _draw(plan: DetectorPlan, pictures: Sequence[Picture], rng: np.random.Generator) -> list[Lesson]:
    side = int(rng.choice(plan.sides))
    return [draw_lesson(rng, pictures, side) for _ in range(max(1, plan.pixels // side**2))]


def _losses(network: Detector, lessons: Sequence[Lesson]) -> dict[str, torch.Tensor]:
    pixels = torch.from_numpy(np.stack([one.pixels for one in lessons])).permute(0, 3, 1, 2)
    logits, boxes = network(pixels.float().div(255).contiguous(memory_format=torch.channels_last))
    side = pixels.shape[2]
    middles = torch.cat([places(side // stride, side // stride, stride) for stride in STRIDES])
    truth = [torch.from_numpy(one.boxes) for one in lessons]
    ignored = [torch.from_numpy(one.ignored) for one in lessons]
    scores, distance = detection_loss(logits, boxes, middles, truth, ignored)
    return {"scores": scores, "boxes": distance}
