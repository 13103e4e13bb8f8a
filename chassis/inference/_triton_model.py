"""A model as a Triton server describes it, and how batches become requests and answers outputs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tritonclient.grpc import InferInput, InferResult
from tritonclient.grpc.model_config_pb2 import ModelConfig
from tritonclient.grpc.service_pb2 import ModelMetadataResponse

from chassis.errors import InvalidInput, ModelError
from chassis.inference import Batch, Outputs
from chassis.inference._batches import check_batch
from chassis.models import ModelSpec

__all__ = ["TritonModel", "described", "requests_of", "outputs_of", "joined", "trial_batch"]

_FLOAT = "FP32"
# A request is written and read in one go on the event loop; this takes about 2 ms.
_MOST_BYTES = 4 * 2**20
# Stands for a dynamic height or width in a trial.
_SIDE = 64

Shape = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class TritonModel:
    """What a server says of one model."""

    name: str
    version: str
    """"" for the newest."""
    input: str
    shape: Shape
    """Of one input; a string is a dimension of any size."""
    outputs: tuple[str, ...]
    """Those that are float32."""
    max_batch: int
    """Inputs of one request, at least 1."""
    is_batched: bool
    """Whether requests have a batch axis that Triton knows of."""

    def check(self, batch: Batch) -> None:
        """Raises ModelError unless the batch has the shape and type that the model takes."""
        check_batch(self.name, self.shape, batch)


def described(
    metadata: ModelMetadataResponse, config: ModelConfig, *, version: str, spec: ModelSpec | None
) -> TritonModel:
    """The model behind a server's words.

    Raises ModelError, naming the model, when it is none of one float32 input and at least one float32 output,
    or not what `spec` says.
    """
    name, is_batched = metadata.name, config.max_batch_size > 0
    inputs = list(metadata.inputs)
    if len(inputs) != 1 or inputs[0].datatype != _FLOAT:
        raise ModelError(f"model {name!r} must have one input, of float32")
    shapes = {one.name: _shape(one.shape) for one in metadata.outputs if one.datatype == _FLOAT}
    if not shapes:
        raise ModelError(f"model {name!r} has no float32 output")
    shape = _shape(inputs[0].shape)
    if spec is not None:
        _check_shapes(name, {"input": shape, **shapes}, spec)
    return TritonModel(
        name=name,
        version=version,
        input=inputs[0].name,
        shape=shape,
        outputs=tuple(shapes),
        max_batch=max(1, config.max_batch_size),
        is_batched=is_batched,
    )


def requests_of(model: TritonModel, batch: Batch) -> list[InferInput]:
    """The batch in requests of at most the model's `max_batch` inputs and about 4 MB.

    Raises InvalidInput for a value that is NaN or infinite.
    """
    if not np.isfinite(batch).all():
        raise InvalidInput(f"inputs of model {model.name!r} must be finite")
    count = min(model.max_batch, max(1, _MOST_BYTES // max(1, batch[0].nbytes)))
    return [_request(model, batch[start : start + count]) for start in range(0, len(batch), count)]


def outputs_of(model: TritonModel, result: InferResult, count: int) -> Outputs:
    """The answer to a request of `count` inputs. Raises ModelError for all but finite numbers for each."""
    outputs = {}
    for name in model.outputs:
        value = result.as_numpy(name)
        if value is None or value.ndim == 0 or len(value) != count:
            raise ModelError(f"model {model.name!r} gave no {name!r} for each of {count} inputs")
        if not np.isfinite(value).all():
            raise ModelError(f"model {model.name!r} gave a {name!r} that is not finite")
        outputs[name] = value
    return outputs


def joined(parts: Sequence[Outputs]) -> Outputs:
    """Outputs of consecutive inputs as those of all."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def trial_batch(model: TritonModel) -> Batch:
    """One blank input."""
    sides = (_SIDE if isinstance(side, str) else side for side in model.shape)
    return np.zeros((1, *sides), np.float32)


def _request(model: TritonModel, part: Batch) -> InferInput:
    request = InferInput(model.input, part.shape, _FLOAT)
    request.set_data_from_numpy(np.ascontiguousarray(part))
    return request


def _shape(sides: Sequence[int]) -> Shape:
    """Without the batch axis."""
    return tuple(side if side > 0 else "?" for side in list(sides)[1:])


def _check_shapes(name: str, shapes: dict[str, Shape], spec: ModelSpec) -> None:
    wanted = {"input": spec.input.shape, **{output.name: output.shape for output in spec.outputs}}
    for key, shape in wanted.items():
        found = shapes.get(key)
        if found is None or not _fits(found, shape):
            shown = "nothing" if found is None else "x".join(map(str, found))
            raise ModelError(f"model {name!r} in Triton: {key} is {shown}, not {'x'.join(map(str, shape))}")


def _fits(found: Shape, wanted: Shape) -> bool:
    return len(found) == len(wanted) and all(
        isinstance(side, str) or isinstance(here, str) or here == side
        for here, side in zip(found, wanted, strict=True)
    )
