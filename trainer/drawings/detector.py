"""Makes the detector's committed weights, from drawing to operating point."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.drawings.fitting import EDGE, best_confidences, choose_threshold, fit_head
from trainer.drawings.head import Head
from trainer.drawings.lessons import CHUNK, Lessons, make_lessons

__all__ = ["DetectorPlan", "folded", "train_detector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorPlan:
    """Everything that decides what comes out."""

    training_seed: int = 1
    """Of the scenes to learn from."""
    held_out_seed: int = 2
    """Of the scenes that choose the threshold."""
    training_chunks: int = 32
    """Times CHUNK scenes; a smoke test takes one."""
    held_out_chunks: int = 10
    epochs: int = 6
    alarms: float = 0.005
    """Share of held-out clean scenes that may fire, before the margin."""


def train_detector(plan: DetectorPlan, *, backbone: Path, work: Path, out: Path, workers: int) -> None:
    """Draw, learn, choose the threshold and write `detector.npz` and `detector.json` to `out`.

    `work` keeps lessons and epochs: the same call goes on where it was interrupted.
    """
    lessons = make_lessons(
        backbone, work, seed=plan.training_seed, chunks=plan.training_chunks, workers=workers
    )
    head = fit_head(lessons, epochs=plan.epochs, seed=plan.training_seed, keep=work / "head.npz")
    held_out = make_lessons(
        backbone, work, seed=plan.held_out_seed, chunks=plan.held_out_chunks, workers=workers
    )
    shipped = {name: value.astype(np.float16) for name, value in folded(head).items()}
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / "detector.npz", **shipped)  # type: ignore[arg-type]  # numpy types the options too
    card = _card(plan, _unfolded(shipped), held_out)
    (out / "detector.json").write_text(json.dumps(card, indent=2) + "\n")
    print(json.dumps(card, indent=2))


def folded(head: Head) -> Head:
    """Return w1, b1, w2, b2, w3, b3 for raw features: the normalisation becomes part of the first layer."""
    weights = head["w1"] * head["scale"][:, None]
    rest = {name: head[name] for name in ("w2", "b2", "w3", "b3")}
    return {"w1": weights, "b1": head["b1"] - head["mean"] @ weights, **rest}


def _unfolded(shipped: Mapping[str, NDArray[np.float16]]) -> Head:
    """What ships, half precision and all, as this package runs it: what ships is what is measured."""
    channels = len(shipped["w1"])
    whole = {name: value.astype(np.float32) for name, value in shipped.items()}
    return {"mean": np.zeros(channels, np.float32), "scale": np.ones(channels, np.float32), **whole}


def _card(plan: DetectorPlan, head: Head, held_out: Lessons) -> dict[str, object]:
    confidences = best_confidences(head, held_out)
    clean, inked = confidences[held_out.is_clean], confidences[~held_out.is_clean]
    threshold = round(choose_threshold(clean, alarms=plan.alarms), 3)
    return {
        "threshold": threshold,
        "edge": EDGE,
        "provenance": "trained on drawn scenes only; no photograph was used",
        "plan": asdict(plan),
        "training_scenes": plan.training_chunks * CHUNK,
        "held_out_clean_scenes": len(clean),
        "held_out_clean_alarms": round(float((clean >= threshold).mean()), 5),
        "held_out_tattooed_scenes": len(inked),
        "held_out_tattooed_found": round(float((inked >= threshold).mean()), 3),
    }
