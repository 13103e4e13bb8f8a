"""The built-in models give the numbers of the original runtimes, for one picture that is drawn here.

The numbers were read once from the TFLite runtime (face_detector, face_mesh, mobilefacenet, pose_detector,
pose_landmarks) and from independent conversions of the dlib and MobileNetV2 weights.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from chassis.errors import ModelError
from chassis.models import ModelSpec, ModelStore, discover_specs
from tests.fakes.portrait import portrait

Floats = NDArray[np.float32]

_SPECS = {spec.name: spec for spec in discover_specs()}
_NAMES = [
    "dlib_resnet",
    "face_detector",
    "face_mesh",
    "mobilefacenet",
    "mobilenet_v2",
    "mobilenet_v2_features",
    "pose_detector",
    "pose_landmarks",
    "tattoo_boxes",
    "tattoo_detector",
    "tattoo_embedder",
]


@dataclass(frozen=True)
class Golden:
    """Expected values: of an output of a model, at an index behind the batch."""

    model: str
    output: str
    index: tuple[int | slice | list[int], ...]
    values: list[float] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.model}.{self.output}"


_GOLDEN = [
    Golden("face_detector", "logits", (1176,), [1.6632807]),
    Golden(
        "face_detector",
        "regressors",
        (1176, slice(8)),
        [-2.6316888, -0.2972149, 92.2771, 92.23997, -20.0592, -17.672144, 16.311028, -17.078157],
    ),
    Golden("face_mesh", "presence_logit", (), [26.98771]),
    Golden("face_mesh", "landmarks", (1,), [93.2770615, 103.2021561, -19.2959213]),
    Golden("face_mesh", "landmarks", (33,), [68.4355545, 80.2162018, 6.4165654]),
    Golden("face_mesh", "landmarks", (263,), [124.8586807, 81.1021194, 3.5416622]),
    Golden("face_mesh", "landmarks", (291,), [111.7565079, 121.6192093, 1.8694472]),
    Golden(
        "mobilefacenet",
        "embedding",
        (slice(6),),
        [-0.4373066, 1.3266436, 0.112201, 0.5590276, -1.850967, 2.131005],
    ),
    Golden(
        "dlib_resnet",
        "embedding",
        (slice(6),),
        [-0.1011616, 0.09803, -0.0365237, 0.0117967, -0.0737949, -0.0237264],
    ),
    Golden("pose_detector", "logits", (1834,), [0.9435018]),
    Golden("pose_detector", "regressors", (1834, slice(4)), [-7.082075, -0.729133, 44.881924, 44.850075]),
    Golden("pose_landmarks", "presence", (), [0.0000884]),
    Golden(
        "pose_landmarks", "landmarks", (11,), [119.7186356, 134.2099609, -41.9387932, 2.8579931, 2.5505126]
    ),
    Golden("pose_landmarks", "world_landmarks", (11,), [-0.0306008, -0.0736079, -0.1345913]),
    Golden("pose_landmarks", "heatmap", (20, 32, slice(3)), [-4.401834, -4.9659905, -4.8848057]),
    Golden(
        "mobilenet_v2",
        "embedding",
        ([0, 1, 2, 3, 4, 675],),
        [0.0528673, 0.0062348, 0.0835726, 0.0451096, 0.0698298, 0.1512423],
    ),
    Golden(
        "mobilenet_v2_features",
        "features",
        (slice(6), 5, 5),
        [0.2181385, 0.0521457, 0.0876043, 0.0, 0.0263773, 0.1317174],
    ),
    # Our own parts on MobileNetV2: numbers of the first build, which a later one must repeat.
    Golden("tattoo_boxes", "boxes", (slice(4), 47), [69.678482, 23.697205, 42.394615, 25.00543]),
    Golden(
        "tattoo_detector",
        "heatmap",
        (0, 2, slice(8, 14)),
        [0.0145348, 0.0337582, 0.0433809, 0.0500198, 0.0223908, 0.003594],
    ),
    Golden(
        "tattoo_embedder",
        "embedding",
        (slice(6),),
        [-0.0402211, -0.1816887, 0.0402378, 0.0538013, -0.1022614, -0.1033519],
    ),
]

_NORMALISATIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "x": lambda x: x,
    "x / 255": lambda x: x / 255,
    "x / 127.5 - 1": lambda x: x / 127.5 - 1,
    "(x - 127.5) / 128": lambda x: (x - 127.5) / 128,
    "(x / 255 - mean) / std, mean 0.485 0.456 0.406, std 0.229 0.224 0.225": lambda x: (
        (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    ),
}
# Of the model that takes any size.
_FREE_SIDE = 160


@pytest.fixture(scope="module")
def store() -> ModelStore:
    """The store of this user, with whatever was missing built."""
    built = ModelStore()
    built.build(_SPECS.values())
    return built


def _session(store: ModelStore, name: str) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(store.path(name), providers=["CPUExecutionProvider"])
    except ModelError:
        if not _SPECS[name].optional:
            raise
        pytest.skip(f"{name} cannot be fetched here")


def _input(spec: ModelSpec) -> Floats:
    """The portrait as this model wants it, as a batch of one."""
    sides = [side for side in spec.input.shape if side != 3]
    pixels = portrait(sides[0] if isinstance(sides[0], int) else _FREE_SIDE)
    image = _NORMALISATIONS[spec.input.normalisation](pixels.astype(np.float64))
    ordered = image.transpose(2, 0, 1) if spec.input.layout == "NCHW" else image
    return np.ascontiguousarray(ordered[None], np.float32)


def test_every_model_is_tested() -> None:
    """A model that is added without golden numbers fails here."""
    assert sorted(_SPECS) == _NAMES == sorted({golden.model for golden in _GOLDEN})


@pytest.mark.parametrize("golden", _GOLDEN, ids=str)
def test_golden(store: ModelStore, golden: Golden) -> None:
    """The values are those of the original, within a thousandth."""
    values = _session(store, golden.model).run([golden.output], {"input": _input(_SPECS[golden.model])})[0][0]
    np.testing.assert_allclose(np.atleast_1d(values)[golden.index], golden.values, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", _NAMES)
def test_batch_is_dynamic(store: ModelStore, name: str) -> None:
    """Three different images in one call give what each gives by itself, and have the described shapes."""
    session, spec = _session(store, name), _SPECS[name]
    image = _input(spec)
    images = np.concatenate([image, image[:, ::-1], image * 0.5])
    together = session.run(None, {"input": images})
    alone = [session.run(None, {"input": images[i : i + 1]}) for i in range(3)]
    for i, output in enumerate(spec.outputs):
        np.testing.assert_allclose(
            together[i], np.concatenate([one[i] for one in alone]), rtol=1e-4, atol=1e-4
        )
        shape = zip(together[i].shape[1:], output.shape, strict=True)
        assert all(isinstance(told, str) or side == told for side, told in shape)


@pytest.mark.parametrize("name", _NAMES)
def test_inputs_and_outputs_are_named_as_described(store: ModelStore, name: str) -> None:
    """The one input is `input` with a dynamic batch `N`; outputs have the names and order of the spec."""
    session, spec = _session(store, name), _SPECS[name]
    (source,) = session.get_inputs()
    assert (source.name, source.shape) == ("input", ["N", *spec.input.shape])
    assert [output.name for output in session.get_outputs()] == [output.name for output in spec.outputs]


def test_features_of_any_size(store: ModelStore) -> None:
    """The feature model takes other sides, which need not be multiples of 16: they are rounded up."""
    session = _session(store, "mobilenet_v2_features")
    for height, width in ((64, 320), (100, 33)):
        (features,) = session.run(None, {"input": np.zeros((2, 3, height, width), np.float32)})
        assert features.shape == (2, 576, -(-height // 16), -(-width // 16))


def test_mobilenet_embedding_is_a_unit_vector(store: ModelStore) -> None:
    """The embedding of the backbone has length 1."""
    (embedding,) = _session(store, "mobilenet_v2").run(None, {"input": _input(_SPECS["mobilenet_v2"])})
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
