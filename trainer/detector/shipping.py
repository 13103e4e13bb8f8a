"""From a trained head to the weights that are committed; what runs must say what the network says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from chassis.models.torch_checkpoint import read_checkpoint
from services.tattoo.box_network import build_box_network
from services.tattoo.boxes import BOX_SIDE
from trainer.detector.kept import folded, write_weights
from trainer.detector.network import Detector, ExportedDetector, Head

__all__ = ["Shipped", "Facts", "export_detector"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card says of the weights."""

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


def export_detector(head: Head, checkpoint: bytes, out: Path) -> Shipped:
    """Write `boxes.npz`, the head as it is served, to `out`. checkpoint: weights of the backbone."""
    detector = ExportedDetector(Detector(read_checkpoint(checkpoint), head)).eval()
    example = torch.rand(2, 3, BOX_SIDE, BOX_SIDE, generator=torch.Generator().manual_seed(0))
    layers = folded(head)
    out.mkdir(parents=True, exist_ok=True)
    stored = write_weights(layers, out / "boxes.npz")
    full, served = (build_box_network(checkpoint, one).SerializeToString() for one in (layers, stored))
    with torch.no_grad():
        expected = detector(example).numpy()
    first, second = (_run(data, example.numpy()) for data in (full, served))
    facts = Facts(
        weights=sum(one.numel() for one in head.parameters()),
        onnx_difference=float(np.abs(first - expected).max()),
        half_difference=float(np.abs(second[:, 4] - first[:, 4]).max()),
    )
    return Shipped(served, facts)


def _run(data: bytes, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    result: NDArray[np.float32] = session.run(None, {"input": pictures})[0]
    return result
