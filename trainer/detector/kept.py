"""A trained head as a small file: training can begin with it, and it can be exported and measured again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from trainer.detector.network import Head

__all__ = ["read_head", "write_head"]

# Smaller weights, such as biases, stay in single precision: they cost nothing.
_LARGE = 256


def write_head(head: Head, file: Path) -> None:
    """Write the weights by name, the large ones in half precision."""
    weights = {name: value.numpy() for name, value in head.state_dict().items() if value.ndim}
    small = {
        name: value.astype(np.float16) if value.size >= _LARGE else value for name, value in weights.items()
    }
    np.savez_compressed(file, **small)


def read_head(file: Path) -> Head:
    """Return the head of a file.

    Raises ValueError for a file of other weights, OSError where it is not there.
    """
    head = Head()
    with np.load(file) as stored:
        weights = {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored.files}
    expected = {name: value.shape for name, value in head.state_dict().items() if value.ndim}
    if {name: value.shape for name, value in weights.items()} != expected:
        raise ValueError(f"{file.name} holds other weights than this head's")
    head.load_state_dict(weights, strict=False)
    return head.eval()
