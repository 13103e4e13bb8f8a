"""The loop of every training here: seeded, resumable, and measured by the mean of its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset

from trainer.learning.progress import Checkpoint, MeanWeights, learning_rate

__all__ = ["Plan", "Course", "run"]

_SHOWN_EVERY = 10

L = TypeVar("L")
N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What every training decides before it begins."""

    seed: int = 1
    steps: int
    warm_up: int
    """Steps until the learning rate is at its peak; from there it falls by half a cosine."""
    peak: float
    """Learning rate of what is new."""
    weight_decay: float = 0.02
    keep: float
    """Of the mean of weights, a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course(Generic[L, N]):
    """What differs from training to training."""

    network: N
    groups: Sequence[Mapping[str, Any]]
    """Of the optimizer; each with a `share` of the learning rate."""
    draw: Callable[[np.random.Generator], L]
    """The lesson of a step. The generator hangs on plan and step alone: a resumed training sees the same."""
    losses: Callable[[N, L], Mapping[str, torch.Tensor]]
    """By name, to be added up."""
    largest_gradient: float


def run(
    plan: Plan, course: Course[L, N], checkpoint: Checkpoint, *, workers: int = 1, until: int | None = None
) -> N:
    """Train from the checkpoint on, if there is one, and return the mean network.

    until: stop after this step with a checkpoint, to go on later. workers: processes that prepare lessons.
    Raises ValueError for a checkpoint of another plan.
    """
    network = course.network
    mean = MeanWeights(network, keep=plan.keep)
    optimizer = torch.optim.AdamW(
        list(map(dict, course.groups)), lr=plan.peak, weight_decay=plan.weight_decay
    )
    first = _resume(plan, checkpoint, network, mean, optimizer)
    last = min(plan.steps, until or plan.steps)
    lessons: Iterator[L] = iter(
        DataLoader(_Lessons(plan, course.draw, first), batch_size=None, num_workers=workers)
    )
    shown: list[dict[str, float]] = []
    for step, lesson in zip(range(first, last), lessons, strict=False):
        rate = learning_rate(step, plan.steps, peak=plan.peak, warm_up=plan.warm_up)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]
        torch.manual_seed(plan.seed * 1_000_003 + step)  # a resumed training drops what an unbroken one does
        shown.append(_learn(course, optimizer, lesson))
        mean.update(network)
        if (step + 1) % _SHOWN_EVERY == 0:
            print(f"step {step + 1}: {_told(shown)}", flush=True)
            shown.clear()
        if checkpoint.is_due() or step + 1 == last:
            checkpoint.write(
                plan=asdict(plan),
                step=step + 1,
                network=network.state_dict(),
                mean=mean.network.state_dict(),
                optimizer=optimizer.state_dict(),
            )
    # It is a copy of the network, and so of its class.
    trained: N = mean.network
    return trained


def _learn(course: Course[L, N], optimizer: torch.optim.Optimizer, lesson: L) -> dict[str, float]:
    course.network.train()
    losses = course.losses(course.network, lesson)
    optimizer.zero_grad(set_to_none=True)
    torch.stack(list(losses.values())).sum().backward()
    torch.nn.utils.clip_grad_norm_(course.network.parameters(), course.largest_gradient)
    optimizer.step()
    return {name: float(loss.detach()) for name, loss in losses.items()}


def _told(shown: Sequence[Mapping[str, float]]) -> str:
    return ", ".join(f"{name} {np.mean([one[name] for one in shown]):.3f}" for name in shown[0])


class _Lessons(IterableDataset[L]):
    """Lessons from a step on."""

    def __init__(self, plan: Plan, draw: Callable[[np.random.Generator], L], first: int) -> None:
        self._seed, self._steps, self._draw, self._first = plan.seed, plan.steps, draw, first

    def __iter__(self) -> Iterator[L]:
        import cv2

        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in range(self._first + offset, self._steps, stride):
            yield self._draw(np.random.default_rng([self._seed, step]))


def _resume(
    plan: Plan,
    checkpoint: Checkpoint,
    network: nn.Module,
    mean: MeanWeights,
    optimizer: torch.optim.Optimizer,
) -> int:
    """The step to go on with."""
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
