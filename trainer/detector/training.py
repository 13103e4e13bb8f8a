"""The training itself: seeded, resumable, and measured by the mean of its weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from trainer.detector.lessons import Lesson, draw_lesson
from trainer.detector.losses import detection_loss
from trainer.detector.network import STRIDES, Detector, places
from trainer.learning.mobilenet import State
from trainer.learning.progress import Checkpoint, MeanWeights, learning_rate
from trainer.learning.truth import Picture

__all__ = ["DetectorPlan", "train", "load_trained"]

_LARGEST_GRADIENT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorPlan:
    """Everything that decides what comes out, beside the pictures."""

    seed: int = 1
    side: int = 352
    """Of a training window, pixels, a multiple of 32."""
    batch: int = 12
    steps: int = 2400
    warm_up: int = 100
    peak: float = 2e-3
    """Learning rate of neck and head; the backbone's is `backbone_share` of it."""
    backbone_share: float = 0.15
    weight_decay: float = 0.02
    frozen: int = 7
    """First layers of the backbone that keep ImageNet's weights."""
    keep: float = 0.998
    """Of the mean of weights, a step."""


def train(
    plan: DetectorPlan,
    pictures: Sequence[Picture],
    *,
    state: State | None,
    checkpoint: Checkpoint,
    workers: int = 1,
    until: int | None = None,
) -> Detector:
    """Train from the checkpoint on, if there is one, and return the mean network.

    until: stop after this step with a checkpoint, to go on later.
    """
    torch.manual_seed(plan.seed)
    network = Detector(state, frozen=plan.frozen).to(memory_format=torch.channels_last)
    mean = MeanWeights(network, keep=plan.keep)
    optimizer = _optimizer(plan, network)
    first = _resume(plan, checkpoint, network, mean, optimizer)
    last = min(plan.steps, until or plan.steps)
    shown = _Shown(first)
    for step, lessons in zip(range(first, last), _batches(plan, pictures, first, workers), strict=False):
        _set_rates(plan, optimizer, step)
        shown.add(step, *_learn(network, optimizer, lessons, plan.side))
        mean.update(network)
        if checkpoint.is_due() or step + 1 == last:
            _write(plan, checkpoint, network, mean, optimizer, step + 1)
    return mean.network


def load_trained(checkpoint: Checkpoint) -> Detector:
    """The mean network of a checkpoint. Raises FileNotFoundError where there is none."""
    kept = checkpoint.read()
    if kept is None:
        raise FileNotFoundError(f"{checkpoint.path} is not there: train first")
    network = Detector()
    network.load_state_dict(kept["mean"])
    return network.eval()


def _learn(
    network: Detector, optimizer: torch.optim.Optimizer, lessons: Sequence[Lesson], side: int
) -> tuple[float, float]:
    network.train()
    pixels = torch.from_numpy(np.stack([one.pixels for one in lessons])).permute(0, 3, 1, 2)
    logits, boxes = network(pixels.float().div(255).contiguous(memory_format=torch.channels_last))
    middles = torch.cat([places(side // stride, side // stride, stride) for stride in STRIDES])
    truth = [torch.from_numpy(one.boxes) for one in lessons]
    scores, distance = detection_loss(
        logits, boxes, middles, truth, [torch.from_numpy(one.ignored) for one in lessons]
    )
    optimizer.zero_grad(set_to_none=True)
    (scores + distance).backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
    optimizer.step()
    return float(scores.detach()), float(distance.detach())


class _Lessons(IterableDataset[list[Lesson]]):
    """Batches from a step on; each hangs on its step alone, so that a resumed training sees the same."""

    def __init__(self, plan: DetectorPlan, pictures: Sequence[Picture], first: int) -> None:
        self._plan, self._pictures, self._first = plan, pictures, first

    def __iter__(self) -> Iterator[list[Lesson]]:
        import cv2

        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in range(self._first + offset, self._plan.steps, stride):
            rng = np.random.default_rng([self._plan.seed, step])
            yield [draw_lesson(rng, self._pictures, self._plan.side) for _ in range(self._plan.batch)]


def _batches(
    plan: DetectorPlan, pictures: Sequence[Picture], first: int, workers: int
) -> Iterator[Sequence[Lesson]]:
    return iter(DataLoader(_Lessons(plan, pictures, first), batch_size=None, num_workers=workers))


def _optimizer(plan: DetectorPlan, network: Detector) -> torch.optim.Optimizer:
    backbone = [one for one in network.backbone.parameters() if one.requires_grad]
    others = [one for name, one in network.named_parameters() if not name.startswith("backbone")]
    groups: list[dict[str, Any]] = [
        {"params": backbone, "share": plan.backbone_share},
        {"params": [one for one in others if one.ndim > 1], "share": 1.0},
        {"params": [one for one in others if one.ndim <= 1], "share": 1.0, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.peak, weight_decay=plan.weight_decay)


def _set_rates(plan: DetectorPlan, optimizer: torch.optim.Optimizer, step: int) -> None:
    rate = learning_rate(step, plan.steps, peak=plan.peak, warm_up=plan.warm_up)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["share"]


def _resume(
    plan: DetectorPlan,
    checkpoint: Checkpoint,
    network: Detector,
    mean: MeanWeights,
    optimizer: torch.optim.Optimizer,
) -> int:
    """The step to go on with. Raises ValueError for a checkpoint of another plan."""
    kept = checkpoint.read()
    if kept is None:
        return 0
    if kept["plan"] != asdict(plan):
        raise ValueError(f"{checkpoint.path} is of another plan: {kept['plan']}")
    network.load_state_dict(kept["network"])
    mean.network.load_state_dict(kept["mean"])
    optimizer.load_state_dict(kept["optimizer"])
    mean.updates = int(kept["step"])
    return int(kept["step"])


def _write(
    plan: DetectorPlan,
    checkpoint: Checkpoint,
    network: Detector,
    mean: MeanWeights,
    optimizer: torch.optim.Optimizer,
    step: int,
) -> None:
    checkpoint.write(
        plan=asdict(plan),
        step=step,
        network=network.state_dict(),
        mean=mean.network.state_dict(),
        optimizer=optimizer.state_dict(),
    )


class _Shown:
    """One line every ten steps."""

    def __init__(self, first: int) -> None:
        self._first, self._sums = first, np.zeros(3)

    def add(self, step: int, scores: float, distance: float) -> None:
        self._sums += (scores, distance, 1)
        if (step + 1) % 10 == 0:
            mean = self._sums[:2] / self._sums[2]
            print(f"step {step + 1}: scores {mean[0]:.3f}, boxes {mean[1]:.3f}", flush=True)
            self._sums[:] = 0
