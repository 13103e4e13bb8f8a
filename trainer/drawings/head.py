"""The detector's head: two small convolutions on frozen features, with its gradient, in numpy.

Features [n, 20, 20, 576] -> 1x1 convolution, ReLU -> 3x3 convolution, ReLU -> 1x1 convolution -> logits.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Head", "Batch", "Adam", "new_head", "logits", "loss_and_gradient"]

Array = NDArray[np.float32]
Head = dict[str, Array]
"""mean, scale [576]; w1 [576, a], b1 [a]; w2 [9a, b] (3x3 taps row by row), b2 [b]; w3 [b, 1], b3 [1]."""

_TRAINED = ("w1", "b1", "w2", "b2", "w3", "b3")


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures to learn from: features [n, g, g, c], target and weight of each cell [n, g, g], both 0..1."""

    features: Array
    target: Array
    weight: Array


def new_head(
    rng: np.random.Generator, mean: Array, deviation: Array, *, first: int = 48, second: int = 24
) -> Head:
    """Return random weights for features of the given mean and deviation [c]."""

    def scattered(inputs: int, outputs: int) -> Array:
        return np.asarray(rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs), np.float32)

    return {
        "mean": mean.astype(np.float32),
        "scale": (1 / (deviation + 0.05)).astype(np.float32),
        "w1": scattered(len(mean), first),
        "b1": np.zeros(first, np.float32),
        "w2": scattered(9 * first, second),
        "b2": np.zeros(second, np.float32),
        "w3": scattered(second, 1) * np.float32(0.3),
        "b3": np.full(1, -1.5, np.float32),
    }


def logits(head: Head, features: Array) -> Array:
    """Return the logit [n, g, g] that each cell of `features` [n, g, g, c] is tattooed."""
    return _forward(head, features, None, 0.0)[0]


def loss_and_gradient(
    head: Head, batch: Batch, rng: np.random.Generator, *, dropout: float
) -> tuple[float, dict[str, Array]]:
    """Return the weighted mean cross entropy of a batch and its gradient by each trained weight."""
    score, kept = _forward(head, batch.features, rng, dropout)
    probability = 1 / (1 + np.exp(-score.clip(-30, 30)))
    total = max(float(batch.weight.sum()), 1.0)
    likely = batch.target * np.log(probability + 1e-7) + (1 - batch.target) * np.log(1 - probability + 1e-7)
    loss = float(-(batch.weight * likely).sum() / total)
    return loss, _backward(head, batch.features, kept, (probability - batch.target) * batch.weight / total)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the way back needs of the way there."""

    channels: Array
    hidden: Array
    mask: Array
    taps: Array
    second: Array


def _forward(
    head: Head, features: Array, rng: np.random.Generator | None, dropout: float
) -> tuple[Array, _Kept]:
    # Whole channels vanish for a batch, so that no single one may carry the answer.
    channels = _survivors(rng, len(head["mean"]), dropout) * head["scale"]
    weights = head["w1"] * channels[:, None]
    mask = _survivors(rng, head["w1"].shape[1], dropout / 2)
    hidden = np.maximum(features @ weights + (head["b1"] - head["mean"] @ weights), 0) * mask
    taps = _neighbours(hidden)
    second = np.maximum(taps @ head["w2"] + head["b2"], 0)
    return (second @ head["w3"] + head["b3"])[..., 0], _Kept(channels, hidden, mask, taps, second)


def _survivors(rng: np.random.Generator | None, count: int, dropout: float) -> Array:
    if rng is None:
        return np.ones(count, np.float32)
    return ((rng.random(count) >= dropout) / (1 - dropout)).astype(np.float32)


def _backward(head: Head, features: Array, kept: _Kept, slope: Array) -> dict[str, Array]:
    gradient: dict[str, Array] = {}

    def layer(name: str, inputs: Array, slope: Array) -> None:
        flat = slope.reshape(-1, slope.shape[-1])
        gradient[f"w{name}"] = inputs.reshape(-1, inputs.shape[-1]).T @ flat
        gradient[f"b{name}"] = flat.sum(axis=0)

    at_logit = slope[..., None].astype(np.float32)
    layer("3", kept.second, at_logit)
    at_second: Array = (at_logit @ head["w3"].T) * (kept.second > 0)
    layer("2", kept.taps, at_second)
    at_taps: Array = at_second @ head["w2"].T
    at_hidden = _gathered(at_taps, kept.hidden.shape[-1]) * (kept.hidden > 0) * kept.mask
    layer("1", features, at_hidden)
    gradient["w1"] = (gradient["w1"] - np.outer(head["mean"], gradient["b1"])) * kept.channels[:, None]
    return gradient


def _neighbours(hidden: Array) -> Array:
    padded = np.pad(hidden, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = hidden.shape[1:3]
    return np.concatenate(
        [padded[:, r : r + rows, c : c + columns] for r in range(3) for c in range(3)], axis=3
    )


def _gathered(taps: Array, channels: int) -> Array:
    count, rows, columns = taps.shape[:3]
    padded = np.zeros((count, rows + 2, columns + 2, channels), np.float32)
    for index in range(9):
        r, c = divmod(index, 3)
        padded[:, r : r + rows, c : c + columns] += taps[..., index * channels : (index + 1) * channels]
    return padded[:, 1:-1, 1:-1]


@dataclass(slots=True)
class Adam:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""

    rate: float = 2e-3
    decay: float = 1e-2
    _first: dict[str, Array] = field(default_factory=dict)
    _second: dict[str, Array] = field(default_factory=dict)
    _steps: int = 0

    def step(self, head: Head, gradient: dict[str, Array], *, share: float) -> None:
        """Move the trained weights of `head` in place; `share` 0..1 scales the rate, for a schedule."""
        self._steps += 1
        for name in _TRAINED:
            slope = gradient[name]
            first = self._first[name] = 0.9 * self._first.get(name, np.zeros_like(slope)) + 0.1 * slope
            second = self._second[name] = (
                0.999 * self._second.get(name, np.zeros_like(slope)) + 0.001 * slope**2
            )
            step = first / (1 - 0.9**self._steps) / (np.sqrt(second / (1 - 0.999**self._steps)) + 1e-8)
            shrink = self.decay * head[name] if name.startswith("w") else 0.0
            head[name] -= (self.rate * share * (step + shrink)).astype(np.float32)
