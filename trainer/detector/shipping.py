"""From a trained head to the file that is committed, which must say what the network says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from services.tattoo.boxes import BOX_SIDE
from services.tattoo.committed import widened
from trainer.detector.kept import write_head
from trainer.detector.network import Detector, ExportedDetector, Head
from trainer.learning.exporting import halved, to_onnx
from trainer.learning.mobilenet import State

__all__ = ["Shipped", "Facts", "export_detector"]

_OUTPUT = "boxes"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card says of the file."""

    weights: int
    """That were trained."""
    onnx_difference: float
    """Largest difference of any output between PyTorch and the ONNX file in single precision."""
    half_difference: float
    """Largest difference of a probability through storing in half precision."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """The file as it runs, and what is known of it."""

    served: bytes
    facts: Facts


def export_detector(head: Head, state: State | None, out: Path) -> Shipped:
    """Write `box_detector.onnx` to `out`, and beside it `.wide.onnx`, which is how it runs.

    state: weights of the backbone. `head.npz` in `out` is the head alone, see `kept.py`.
    """
    detector = ExportedDetector(Detector(state, head)).eval()
    example = torch.rand(2, 3, BOX_SIDE, BOX_SIDE, generator=torch.Generator().manual_seed(0))
    full = to_onnx(detector, example, outputs=[_OUTPUT])
    small = halved(full)
    served = widened(small.SerializeToString()).SerializeToString()
    with torch.no_grad():
        expected = detector(example).numpy()
    first, second = (_run(data, example.numpy()) for data in (full.SerializeToString(), served))
    facts = Facts(
        weights=sum(one.numel() for one in head.parameters()),
        onnx_difference=float(np.abs(first - expected).max()),
        half_difference=float(np.abs(second[:, 4] - expected[:, 4]).max()),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "box_detector.onnx").write_bytes(small.SerializeToString(deterministic=True))
    (out / "box_detector.wide.onnx").write_bytes(served)
    write_head(head, out / "head.npz")
    return Shipped(served, facts)


def _run(
    data: bytes, pictures: np.ndarray[Any, np.dtype[np.float32]]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    result: np.ndarray[Any, np.dtype[np.float32]] = session.run(None, {"input": pictures})[0]
    return result
