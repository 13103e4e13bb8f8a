"""The Triton configurations agree with the ONNX files and with what the services send."""

from __future__ import annotations

from collections.abc import Sequence

import onnxruntime
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as pb

from chassis.config import InferenceSection
from chassis.models import ModelSpec, ModelStore, discover_specs
from chassis.models.repository import config_of, has_config
from services.body.config import BodyConfig
from services.body.serving import model_files as body_files
from services.face.config import FaceConfig
from services.face.ensemble import Ensemble
from services.face.serving import model_files as face_files
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from services.tattoo.chosen import choose_models
from services.tattoo.config import TattooConfig

_SERVED = [spec for spec in discover_specs() if has_config(spec)]
_REMOTE = InferenceSection(triton_url="127.0.0.1:8001")


def _config(spec: ModelSpec) -> pb.ModelConfig:
    return text_format.Parse(config_of(spec), pb.ModelConfig())


def _dimensions(shape: Sequence[int | str | None]) -> list[int]:
    return [side if isinstance(side, int) else -1 for side in shape]


def _fits(sides: Sequence[int], shape: Sequence[int | str]) -> bool:
    """Whether an input has the shape, in which a name stands for any size."""
    return len(sides) == len(shape) and all(
        isinstance(told, str) or side == told for side, told in zip(sides, shape, strict=True)
    )


def test_every_model_that_services_call_has_a_configuration() -> None:
    """No more and no less, under the very names and versions that services ask for."""
    asked = {
        **face_files(
            FaceConfig(inference=_REMOTE),
            Ensemble(tuple(BUILT_IN_ROWS[name] for name in DEFAULT_EMBEDDERS)),
            ModelStore(),
        ),
        **choose_models(TattooConfig().tattoo, TattooConfig().models, _REMOTE).files,
        **body_files(BodyConfig(inference=_REMOTE)),
    }
    assert {file.name for file in asked.values()} == {spec.name for spec in _SERVED}
    assert {(file.name, file.served_version) for file in asked.values()} == {
        (spec.name, spec.version) for spec in _SERVED
    }
    assert all(file.path is None for file in asked.values()), "with Triton no file is needed here"


@pytest.mark.parametrize("spec", _SERVED, ids=lambda spec: spec.name)
def test_configuration_and_specification_agree(spec: ModelSpec) -> None:
    """Names, types and shapes are those of the specification, which services build their input from."""
    config = _config(spec)
    assert config.name == spec.name
    (taken,) = config.input
    taken_dims = _dimensions(spec.input.shape)
    assert (taken.name, taken.data_type, list(taken.dims)) == ("input", pb.TYPE_FP32, taken_dims)
    given = [(one.name, one.data_type, list(one.dims)) for one in config.output]
    assert given == [(one.name, pb.TYPE_FP32, _dimensions(one.shape)) for one in spec.outputs]
    for warmup in config.model_warmup:
        assert _fits(warmup.inputs["input"].dims, spec.input.shape)


@pytest.mark.parametrize("spec", _SERVED, ids=lambda spec: spec.name)
def test_configuration_and_file_agree(spec: ModelSpec) -> None:
    """Names, types and shapes are those of the ONNX file, whose first dimension is a free batch."""
    store = ModelStore()
    if store.built(spec) is None:
        pytest.skip(f"{spec.name} is not built here")
    session = onnxruntime.InferenceSession(store.path(spec.name), providers=["CPUExecutionProvider"])
    config = _config(spec)
    for told, read in (
        (list(config.input), session.get_inputs()),
        (list(config.output), session.get_outputs()),
    ):
        assert [one.name for one in told] == [one.name for one in read]
        assert [list(one.dims) for one in told] == [_dimensions(one.shape)[1:] for one in read]
        assert {one.type for one in read} == {"tensor(float)"}
        assert {_dimensions(one.shape)[0] for one in read} == {-1}


@pytest.mark.parametrize("spec", _SERVED, ids=lambda spec: spec.name)
def test_every_queue_is_bounded(spec: ModelSpec) -> None:
    """Requests are batched, wait for a limited time in a limited queue, and work without a GPU."""
    config = _config(spec)
    policy = config.dynamic_batching.default_queue_policy
    assert config.backend == "onnxruntime"
    assert config.max_batch_size > 1
    assert policy.max_queue_size > 0
    assert policy.default_timeout_microseconds > 0
    assert policy.timeout_action == pb.ModelQueuePolicy.REJECT
    assert policy.allow_timeout_override
    assert config.version_policy.latest.num_versions == 2
    kinds = [(group.kind, group.count) for group in config.instance_group]
    assert kinds == [(pb.ModelInstanceGroup.KIND_AUTO, 2)]
    assert {warmup.batch_size for warmup in config.model_warmup} == {1, 8}
