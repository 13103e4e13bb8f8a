"""The training itself: seeded, resumable, and measured by the mean of its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, IterableDataset

from trainer.embedder.lessons import Worn, draw_batch
from trainer.embedder.losses import contrastive_loss
from trainer.embedder.network import Embedder
from trainer.learning.mobilenet import State
from trainer.learning.progress import Checkpoint, MeanWeights, learning_rate

__all__ = ["EmbedderPlan", "Material", "train", "load_trained"]

_LARGEST_GRADIENT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderPlan:
    """Everything that decides what comes out, beside the designs."""

    seed: int = 1
    side: int = 192
    """Of a crop in training, pixels; it is served with 224."""
    designs: int = 24
    """Of a batch."""
    views: int = 2
    steps: int = 1600
    warm_up: int = 80
    peak: float = 1e-3
    """Learning rate of the projection; the backbone's is `backbone_share` of it."""
    backbone_share: float = 0.15
    weight_decay: float = 0.02
    frozen: int = 7
    """First layers of the backbone that keep ImageNet's weights."""
    temperature: float = 0.1
    keep: float = 0.995
    """Of the mean of weights, a step."""


@dataclass(frozen=True, slots=True)
class Material:
    """What there is to learn from."""

    flats: Sequence[NDArray[np.uint8]]
    """Drawings, see `flat.py`."""
    worn: Sequence[Sequence[Worn]]
    """Designs that somebody wears in pictures."""


def train(
    plan: EmbedderPlan,
    material: Material,
    *,
    state: State | None,
    projection: Mapping[str, NDArray[np.floating]] | None,
    checkpoint: Checkpoint,
    workers: int = 1,
    until: int | None = None,
) -> Embedder:
    """Train from the checkpoint on, if there is one, and return the mean network.

    until: stop after this step with a checkpoint, to go on later.
    """
    torch.manual_seed(plan.seed)
    network = Embedder(state, projection, frozen=plan.frozen).to(memory_format=torch.channels_last)
    mean = MeanWeights(network, keep=plan.keep)
    optimizer = _optimizer(plan, network)
    first = _resume(plan, checkpoint, network, mean, optimizer)
    last = min(plan.steps, until or plan.steps)
    lessons = iter(DataLoader(_Lessons(plan, material, first), batch_size=None, num_workers=workers))
    losses = []
    for step, crops in zip(range(first, last), lessons, strict=False):
        rate = learning_rate(step, plan.steps, peak=plan.peak, warm_up=plan.warm_up)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]
        losses.append(_learn(network, optimizer, crops, plan))
        mean.update(network)
        if (step + 1) % 10 == 0:
            print(f"step {step + 1}: loss {np.mean(losses[-10:]):.4f}", flush=True)
        if checkpoint.is_due() or step + 1 == last:
            checkpoint.write(
                plan=asdict(plan),
                step=step + 1,
                network=network.state_dict(),
                mean=mean.network.state_dict(),
                optimizer=optimizer.state_dict(),
            )
    return mean.network


def load_trained(checkpoint: Checkpoint) -> Embedder:
    """The mean network of a checkpoint. Raises FileNotFoundError where there is none."""
    kept = checkpoint.read()
    if kept is None:
        raise FileNotFoundError(f"{checkpoint.path} is not there: train first")
    network = Embedder(None, None)
    network.load_state_dict(kept["mean"])
    return network.eval()


def _learn(
    network: Embedder, optimizer: torch.optim.Optimizer, crops: NDArray[np.uint8], plan: EmbedderPlan
) -> float:
    network.train()
    inputs = torch.from_numpy(np.asarray(crops)).permute(0, 3, 1, 2).float().div(255)
    vectors = network(inputs.contiguous(memory_format=torch.channels_last))
    designs = torch.arange(len(vectors)) // plan.views
    loss = contrastive_loss(vectors, designs, temperature=plan.temperature)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), _LARGEST_GRADIENT)
    optimizer.step()
    return float(loss.detach())


class _Lessons(IterableDataset[NDArray[np.uint8]]):
    """Batches from a step on; each hangs on its step alone, so that a resumed training sees the same."""

    def __init__(self, plan: EmbedderPlan, material: Material, first: int) -> None:
        self._plan, self._material, self._first = plan, material, first

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        import cv2

        cv2.setNumThreads(1)
        plan, worker = self._plan, torch.utils.data.get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in range(self._first + offset, plan.steps, stride):
            yield draw_batch(
                np.random.default_rng([plan.seed, step]),
                self._material.flats,
                self._material.worn,
                designs=plan.designs,
                views=plan.views,
                side=plan.side,
            )


def _optimizer(plan: EmbedderPlan, network: Embedder) -> torch.optim.Optimizer:
    backbone = [one for one in network.backbone.parameters() if one.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": backbone, "share": plan.backbone_share},
        {"params": list(network.projection.parameters()), "share": 1.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.peak, weight_decay=plan.weight_decay)


def _resume(
    plan: EmbedderPlan,
    checkpoint: Checkpoint,
    network: Embedder,
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
