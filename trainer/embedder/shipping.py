"""From a checkpoint to the file that is committed, which must say what the network says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from services.tattoo.committed import widened
from trainer.embedder.network import Embedder
from trainer.embedder.training import between, load_trained
from trainer.learning.exporting import halved, to_onnx
from trainer.learning.progress import Checkpoint

__all__ = ["Facts", "Shipped", "export_embedder"]

_SIDE = 224
_OUTPUT = "embedding"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card says of the file."""

    plan: dict[str, Any]
    steps: int
    share: float
    """Of the way from the weights that training began with to the trained ones, 0..1."""
    weights: int
    least_onnx_cosine: float
    """Between a vector of PyTorch and of the ONNX file in single precision."""
    least_half_cosine: float
    """The same after storing in half precision."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The file as it runs, and what is known of it."""

    served: bytes
    facts: Facts


def export_embedder(checkpoint: Checkpoint, start: Embedder, out: Path, *, share: float) -> Shipped:
    """Write what lies `share` of the way from `start` to the trained network; see `between`.

    `out` gets `trained_embedder.onnx`, and beside it `.wide.onnx`, which is how it runs.

    Raises FileNotFoundError without a checkpoint.
    """
    embedder = between(start, load_trained(checkpoint), share)
    kept = checkpoint.read()
    assert kept is not None, "load_trained has read it"
    example = torch.rand(4, 3, _SIDE, _SIDE, generator=torch.Generator().manual_seed(0))
    full = to_onnx(embedder, example, outputs=[_OUTPUT])
    small = halved(full)
    served = widened(small.SerializeToString()).SerializeToString()
    with torch.no_grad():
        expected = embedder(example).numpy()
    first, second = (
        _least_cosine(data, example.numpy(), expected) for data in (full.SerializeToString(), served)
    )
    facts = Facts(
        plan=kept["plan"],
        steps=int(kept["step"]),
        share=share,
        weights=sum(one.numel() for one in embedder.parameters()),
        least_onnx_cosine=first,
        least_half_cosine=second,
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "trained_embedder.onnx").write_bytes(small.SerializeToString(deterministic=True))
    (out / "trained_embedder.wide.onnx").write_bytes(served)
    return Shipped(served, facts)


def _least_cosine(data: bytes, crops: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    vectors = session.run(None, {"input": crops})[0]
    return float((vectors * expected).sum(axis=1).min())
