"""Running models, wherever they run: one small interface that services, tests and back ends share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chassis.models.spec import ModelSpec

__all__ = ["Batch", "Outputs", "ModelFile", "Inference"]

Batch = NDArray[np.float32]
"""Inputs of a model; the first axis counts them."""

Outputs = Mapping[str, NDArray[np.float32]]
"""A model's outputs by name; the first axis of each is that of the inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One model to run: the file that this process opens, or what a model server calls it."""

    name: str
    """As the model server's repository names it."""
    version: str = ""
    """Of the file. A whole number names the version folder to ask for; else the newest there is meant."""
    path: Path | None = None
    """The ONNX file; None where only a model server has it."""
    spec: ModelSpec | None = None
    """What a built-in model takes and gives; None for a file of the owner's."""

    @property
    def served_version(self) -> str:
        """The version folder to ask a model server for; "" for its newest."""
        return self.version if self.version.isdecimal() else ""


class Inference(Protocol):
    """What runs models by key: `chassis.inference.onnx` in this process, or a client of a model server."""

    async def infer(self, model: str, batch: Batch) -> Outputs:
        """Run a model on n inputs, n x the model's input shape, float32, n at least 1.

        Calls at the same time may share one run of the model; each gets the outputs of its own inputs.

        Raises:
            ModelError: no such model, an input shape or type it does not take, or the model failed.
            InvalidInput: an input has NaN or infinite values.
            Overloaded: too many inputs wait for the model already.
            Unavailable: the back end is not there, or closes.
            DeadlineExceeded: the caller's time is over.
        """
        ...

    async def ready(self, models: Collection[str] | None = None) -> None:
        """Return when the models with these keys, by default all, can be run.

        Raises:
            ModelError: a model that was asked for cannot be run; the message names it.
            Unavailable: the back end is not there.
        """
        ...

    async def add(self, key: str, file: ModelFile) -> None:
        """Make one more model known under `key`; one that is known already stays as it is.

        Raises ModelError for a file of this process that is missing, damaged, or not a model with one batched
        float32 input. Whether a model server has the model is what `ready` says.
        """
        ...

    async def remove(self, key: str) -> None:
        """Take a model away; runs under way end. Nothing happens for an unknown key."""
        ...
