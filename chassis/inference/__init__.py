"""Running models, wherever they run: one small interface that services, tests and back ends share."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batch", "Outputs", "Inference"]

Batch = NDArray[np.float32]
"""Inputs of a model; the first axis counts them."""

Outputs = Mapping[str, NDArray[np.float32]]
"""A model's outputs by name; the first axis of each is that of the inputs."""


class Inference(Protocol):
    """What runs models by name: `chassis.inference.onnx` in this process, or a client of a model server."""

    async def infer(self, model: str, batch: Batch) -> Outputs:
        """Run a model on n inputs, n x the model's input shape, float32, n at least 1.

        Calls at the same time may share one run of the model; each gets the outputs of its own inputs.

        Raises:
            ModelError: no such model, an input shape or type it does not take, or the model failed.
            InvalidInput: an input has NaN or infinite values.
            Overloaded: too many inputs wait for the model already.
            Unavailable: the back end is not there, or closes.
        """
        ...

    async def ready(self) -> None:
        """Return when models can be run.

        Raises:
            ModelError: a model that was asked for cannot be run.
            Unavailable: the back end is not there.
        """
        ...
