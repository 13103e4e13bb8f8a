"""What Triton's codes mean, and what a server's description has to say. Pure."""

from __future__ import annotations

import numpy as np
import pytest
from tritonclient.grpc.model_config_pb2 import ModelConfig
from tritonclient.grpc.service_pb2 import ModelMetadataResponse
from tritonclient.utils import InferenceServerException

from chassis.errors import DeadlineExceeded, InternalError, MarqueeError, ModelError, Unavailable
from chassis.inference._triton_errors import error_of, is_worth_another_try
from chassis.inference._triton_model import described, requests_of, trial_batch
from chassis.models import ModelSpec
from chassis.status import code_of, public_message
from tests.fakes.model_packages import spec_of, wheel


@pytest.mark.parametrize(
    ("code", "kind", "grpc_code"),
    [
        ("UNAVAILABLE", Unavailable, "UNAVAILABLE"),
        ("CANCELLED", Unavailable, "UNAVAILABLE"),
        ("DEADLINE_EXCEEDED", DeadlineExceeded, "DEADLINE_EXCEEDED"),
        ("NOT_FOUND", ModelError, "UNAVAILABLE"),
        ("INVALID_ARGUMENT", InternalError, "INTERNAL"),
        ("RESOURCE_EXHAUSTED", InternalError, "INTERNAL"),
        ("INTERNAL", ModelError, "UNAVAILABLE"),
        ("UNKNOWN", ModelError, "UNAVAILABLE"),
        ("", ModelError, "UNAVAILABLE"),
    ],
)
def test_a_code_becomes_an_error(code: str, kind: type[MarqueeError], grpc_code: str) -> None:
    """That names the model, shows nothing of Triton's own words, and has a code for our callers."""
    status = f"StatusCode.{code}" if code else None
    error = error_of(InferenceServerException("/models/x/1: secret", status), "face_mesh")
    assert type(error) is kind
    assert "'face_mesh'" in str(error)
    assert "secret" not in str(error)
    assert code_of(error).name == grpc_code


def test_our_own_fault_is_not_explained_to_callers() -> None:
    """INTERNAL says that the log has the cause."""
    error = error_of(InferenceServerException("shape", "StatusCode.INVALID_ARGUMENT"), "face_mesh")
    assert "face_mesh" not in public_message(error)


@pytest.mark.parametrize(
    ("message", "code", "is_worth_it"),
    [
        ("Exceeds maximum queue size", "UNAVAILABLE", True),
        ("failed to connect to all addresses", "UNAVAILABLE", True),
        ("Request timeout expired", "UNAVAILABLE", False),
        ("Deadline Exceeded", "DEADLINE_EXCEEDED", False),
        ("unexpected shape", "INVALID_ARGUMENT", False),
        ("Stub process is not healthy", "INTERNAL", False),
    ],
)
def test_only_what_may_pass_is_tried_again(message: str, code: str, is_worth_it: bool) -> None:
    """A full queue or a server that is away; not a request that used up its time, nor a wrong one."""
    assert is_worth_another_try(InferenceServerException(message, f"StatusCode.{code}")) is is_worth_it
    assert not is_worth_another_try(ValueError(message))


def _metadata(*outputs: tuple[str, str, list[int]], takes: list[int] | None = None) -> ModelMetadataResponse:
    tensor = ModelMetadataResponse.TensorMetadata
    return ModelMetadataResponse(
        name="m",
        inputs=[tensor(name="x", datatype="FP32", shape=takes or [-1, 3, -1])],
        outputs=[tensor(name=name, datatype=kind, shape=shape) for name, kind, shape in outputs],
    )


def test_a_description_is_what_the_server_says() -> None:
    """Names are the server's, dynamic sides are free, outputs of other types are left out."""
    metadata = _metadata(("a", "FP32", [-1, 2]), ("b", "INT64", [-1]))
    model = described(metadata, ModelConfig(max_batch_size=8), version="2", spec=None)
    assert (model.input, model.shape, model.outputs, model.max_batch) == ("x", (3, "?"), ("a",), 8)
    assert trial_batch(model).shape == (1, 3, 64)
    model.check(np.zeros((5, 3, 7), np.float32))


@pytest.mark.parametrize(
    "metadata",
    [
        ModelMetadataResponse(name="m"),
        _metadata(),
        _metadata(("a", "INT64", [-1, 2])),
    ],
    ids=["no input", "no output", "no float output"],
)
def test_a_model_of_another_kind_is_refused(metadata: ModelMetadataResponse) -> None:
    """With its name."""
    with pytest.raises(ModelError, match="model 'm'"):
        described(metadata, ModelConfig(), version="", spec=None)


def test_another_shape_than_the_specification_is_refused() -> None:
    """A built-in model must be what its specification says, whatever file the server has."""
    spec: ModelSpec = spec_of(wheel())
    outputs = [
        (one.name, "FP32", [-1, *(side if isinstance(side, int) else -1 for side in one.shape)])
        for one in spec.outputs
    ]
    takes = [-1, *(side if isinstance(side, int) else -1 for side in spec.input.shape)]
    described(_renamed(_metadata(*outputs, takes=takes)), ModelConfig(), version="1", spec=spec)
    with pytest.raises(ModelError, match="in Triton: input is 4x1, not 4"):
        described(_renamed(_metadata(*outputs, takes=[*takes, 1])), ModelConfig(), version="1", spec=spec)
    with pytest.raises(ModelError, match="is nothing, not"):
        described(
            _renamed(_metadata(("other", "FP32", [-1, 1]), takes=takes)),
            ModelConfig(),
            version="1",
            spec=spec,
        )


def _renamed(metadata: ModelMetadataResponse) -> ModelMetadataResponse:
    metadata.inputs[0].name = "input"
    return metadata


def test_requests_are_bounded_in_inputs_and_bytes() -> None:
    """At most `max_batch` inputs and about 4 MB, so that no step holds the event loop for long."""
    metadata = _metadata(("a", "FP32", [-1, 2]), takes=[-1, 2**18])
    model = described(metadata, ModelConfig(max_batch_size=8), version="", spec=None)
    sizes = [request.shape()[0] for request in requests_of(model, np.zeros((10, 2**18), np.float32))]
    assert sizes == [4, 4, 2]
    small = described(
        _metadata(("a", "FP32", [-1, 2]), takes=[-1, 2]), ModelConfig(max_batch_size=8), version="", spec=None
    )
    assert [one.shape()[0] for one in requests_of(small, np.zeros((10, 2), np.float32))] == [8, 2]
