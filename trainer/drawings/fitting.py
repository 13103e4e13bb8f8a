"""Fits the head on lessons and chooses where it fires."""

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.tattoo.detect import SIDE, Frame, find_tattoos
from trainer.drawings.head import Adam, Batch, Head, logits, loss_and_gradient, new_head
from trainer.drawings.lessons import FULL, Lessons

__all__ = ["EDGE", "best_confidences", "choose_threshold", "fit_head", "heatmaps"]

EDGE = 0.4
"""Probability at the outline of a tattoo."""

_BATCH = 16
_DROPOUT = 0.3
# Cells that are a little tattooed are neither: their scenes' outlines are not that exact.
_CLEAN, _INKED = 0.12, 0.5
_UNIT = np.float32(FULL / 255)
_MARGIN = 0.5


def fit_head(lessons: Lessons, *, epochs: int, seed: int, keep: Path) -> Head:
    """Fit a head; after each epoch it is kept in `keep`, from where an interrupted fit goes on."""
    rng = np.random.default_rng(seed)
    head, first = _resumed(keep, lessons, rng)
    optimiser = Adam()
    steps = len(lessons.features) // _BATCH
    for epoch in range(first, epochs):
        started, total = time.monotonic(), 0.0
        order = np.random.default_rng([seed, epoch]).permutation(len(lessons.features))
        for step in range(steps):
            batch = _batch(
                lessons, order[step * _BATCH : (step + 1) * _BATCH], is_mirrored=bool(rng.random() < 0.5)
            )
            loss, gradient = loss_and_gradient(head, batch, rng, dropout=_DROPOUT)
            done = (epoch + step / steps) / epochs
            optimiser.step(head, gradient, share=0.5 * (1 + float(np.cos(np.pi * done))))
            total += loss
        np.savez(keep, epoch=np.array(epoch + 1), **head)  # type: ignore[arg-type]  # numpy types the options too
        print(f"epoch {epoch + 1}: loss {total / steps:.4f}, {time.monotonic() - started:.0f} s", flush=True)
    return head


def heatmaps(head: Head, features: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return probabilities [n, 20, 20] for stored features [n, 20, 20, 576]."""
    parts = [
        logits(head, features[i : i + 32].astype(np.float32) * _UNIT) for i in range(0, len(features), 32)
    ]
    return np.asarray(1 / (1 + np.exp(-np.concatenate(parts).clip(-30, 30))), np.float32)


def best_confidences(head: Head, lessons: Lessons) -> NDArray[np.float32]:
    """Return [n]: the confidence of each scene's surest detection, 0 where nothing exceeds EDGE."""
    heats = heatmaps(head, lessons.features) * (lessons.target >= 0)
    return np.array([_best(heat) for heat in heats.astype(np.float32)], np.float32)


def choose_threshold(clean: NDArray[np.float32], *, alarms: float) -> float:
    """Return the confidence that a share `alarms` of the clean scenes [n] reaches, and 0.5 in logit more.

    The margin is for the step from drawings to photographs.
    """
    ordered = np.sort(clean)[::-1]
    reached = float(np.clip(ordered[int(alarms * len(ordered))], 0.5, 0.999))
    logit = np.log(reached / (1 - reached)) + _MARGIN
    return float(1 / (1 + np.exp(-logit)))


def _best(heat: NDArray[np.float32]) -> float:
    whole = Frame(np.empty(0, np.float32), 1.0, SIDE, SIDE)
    return max(
        (found.confidence for found in find_tattoos(heat[None], whole, threshold=0.0, edge=EDGE)), default=0.0
    )


def _resumed(keep: Path, lessons: Lessons, rng: np.random.Generator) -> tuple[Head, int]:
    if keep.exists():
        kept = dict(np.load(keep))
        return kept, int(kept.pop("epoch"))
    some = rng.choice(len(lessons.features), min(300, len(lessons.features)), replace=False)
    cells = (
        lessons.features[np.sort(some)].reshape(-1, lessons.features.shape[-1])[::7].astype(np.float32)
        * _UNIT
    )
    return new_head(rng, cells.mean(axis=0), cells.std(axis=0)), 0


def _batch(lessons: Lessons, chosen: NDArray[np.int64], *, is_mirrored: bool) -> Batch:
    chosen = np.sort(chosen)
    features = lessons.features[chosen].astype(np.float32) * _UNIT
    share = lessons.target[chosen].astype(np.float32)
    weight = ((share >= 0) & ((share < _CLEAN) | (share > _INKED))).astype(np.float32)
    target = (share > _INKED).astype(np.float32)
    if is_mirrored:
        return Batch(features[:, :, ::-1], target[:, :, ::-1], weight[:, :, ::-1])
    return Batch(features, target, weight)
