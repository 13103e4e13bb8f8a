"""A trained head as a small file: training can begin with it, and it can be exported and measured again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trainer.detector.network import Head

__all__ = ["folded", "read_head", "write_head", "write_weights"]

Weights = Mapping[str, NDArray[np.float32]]

# Smaller weights, such as biases, stay in single precision: they cost nothing.
_LARGE = 256


def write_head(head: Head, file: Path) -> None:
    """Write the weights by name, the large ones in half precision."""
    write_weights({name: value.numpy() for name, value in head.state_dict().items() if value.ndim}, file)


def write_weights(weights: Weights, file: Path) -> Weights:
    """Write weights by name, the large ones in half precision; returns what can be read again."""
    small = {
        name: value.astype(np.float16) if value.size >= _LARGE else value for name, value in weights.items()
    }
    np.savez_compressed(file, **small)  # type: ignore[arg-type]  # numpy types the options too
    return {name: value.astype(np.float32) for name, value in small.items()}


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


def folded(head: Head) -> Weights:
    """The head as it is served: each normalisation is part of the convolution before it.

    `weight` [outputs, inputs, side, side] and `bias` [outputs] of each layer, by its name.
    """
    layers: dict[str, NDArray[np.float32]] = {}
    for name, part in head.named_modules():
        if isinstance(part, nn.Conv2d) and part.bias is not None:
            layers |= {f"{name}.{key}": value.numpy() for key, value in part.state_dict().items()}
        elif isinstance(part, nn.Sequential) and isinstance(part[0], nn.Conv2d):
            joined = nn.utils.fuse_conv_bn_eval(part[0].eval(), part[1].eval())
            layers |= {f"{name}.{key}": value.numpy() for key, value in joined.state_dict().items()}
    return layers
