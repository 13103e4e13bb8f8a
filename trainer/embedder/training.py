"""The embedder's training: several views each of several designs a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.embedder.lessons import Worn, draw_batch
from trainer.embedder.losses import contrastive_loss
from trainer.embedder.network import Embedder
from trainer.learning.loop import Course, Plan, run
from trainer.learning.mobilenet import State
from trainer.learning.progress import Checkpoint

__all__ = ["EmbedderPlan", "Material", "train", "load_trained", "between"]

_LARGEST_GRADIENT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderPlan(Plan):
    """Everything that decides what comes out, beside the designs."""

    side: int = 192
    """Of a crop in training, pixels; it is served with 224."""
    designs: int = 24
    """Of a batch."""
    views: int = 2
    steps: int = 1200
    warm_up: int = 80
    peak: float = 1e-3
    backbone_share: float = 0.15
    """Of `peak`: the backbone's learning rate."""
    frozen: int = 7
    """First layers of the backbone that keep ImageNet's weights."""
    temperature: float = 0.1
    keep: float = 0.995


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
    """Train and return the mean network; see `loop.run`."""
    torch.manual_seed(plan.seed)
    network = Embedder(state, projection, frozen=plan.frozen).to(memory_format=torch.channels_last)
    backbone = [one for one in network.backbone.parameters() if one.requires_grad]
    course = Course(
        network=network,
        groups=[
            {"params": backbone, "share": plan.backbone_share},
            {"params": list(network.projection.parameters()), "share": 1.0},
        ],
        draw=partial(_draw, plan, material),
        losses=partial(_losses, plan),
        largest_gradient=_LARGEST_GRADIENT,
    )
    return run(plan, course, checkpoint, workers=workers, until=until)


def load_trained(checkpoint: Checkpoint) -> Embedder:
    """The mean network of a checkpoint. Raises FileNotFoundError where there is none."""
    kept = checkpoint.read()
    if kept is None:
        raise FileNotFoundError(f"{checkpoint.path} is not there: train first")
    network = Embedder(None, None)
    network.load_state_dict(kept["mean"])
    return network.eval()


@torch.no_grad()
def between(start: Embedder, trained: Embedder, share: float) -> Embedder:
    """The network whose weights lie `share` (0..1) of the way from one to the other.

    Fine-tuned on renders a network forgets some of what it knew of photographs; between the two it keeps
    both. Source: Wortsman et al., "Robust fine-tuning of zero-shot models" (2022).
    """
    first, last = start.state_dict(), trained.state_dict()
    network = Embedder(None, None)
    network.load_state_dict({name: torch.lerp(first[name], last[name], share) for name in first})
    return network.eval()


def _draw(plan: EmbedderPlan, material: Material, rng: np.random.Generator) -> NDArray[np.uint8]:
    return draw_batch(
        rng, material.flats, material.worn, designs=plan.designs, views=plan.views, side=plan.side
    )


def _losses(plan: EmbedderPlan, network: Embedder, crops: NDArray[np.uint8]) -> dict[str, torch.Tensor]:
    inputs = torch.from_numpy(np.asarray(crops)).permute(0, 3, 1, 2).float().div(255)
    vectors = network(inputs.contiguous(memory_format=torch.channels_last))
    designs = torch.arange(len(vectors)) // plan.views
    return {"loss": contrastive_loss(vectors, designs, temperature=plan.temperature)}
