"""The built-in models of the body signal."""

from functools import partial

from chassis.models import InputSpec, ModelSpec, OutputSpec, PackageFile
from chassis.models.pins import MEDIAPIPE
from chassis.models.tflite import convert_tflite

__all__ = ["SPECS", "POSE_DETECTOR", "POSE_LANDMARKS"]

_DETECTOR_OUTPUTS = {
    0: OutputSpec(
        name="regressors",
        shape=(2254, 12),
        meaning="per anchor: box centre, box size and 4 points, (x, y) each, in input pixels relative to the "
        "centre of the anchor (the size is absolute)",
    ),
    1: OutputSpec(name="logits", shape=(2254, 1), meaning="log odds of a person, per anchor"),
}

POSE_DETECTOR = ModelSpec(
    name="pose_detector",
    version="1",
    role="body.detector",
    source=PackageFile(
        package=MEDIAPIPE,
        path="mediapipe/modules/pose_detection/pose_detection.tflite",
        sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    licence="Apache-2.0",
    provenance="MediaPipe BlazePose detector, trained by Google on pictures it does not publish",
    input=InputSpec(shape=(224, 224, 3), layout="NHWC", color="RGB", normalisation="x / 127.5 - 1"),
    outputs=tuple(_DETECTOR_OUTPUTS.values()),
    build=partial(convert_tflite, name="pose_detector", outputs=_DETECTOR_OUTPUTS),
)

# The segmentation mask, output 2, costs half the time and is not needed.
_LANDMARKS_OUTPUTS = {
    0: OutputSpec(
        name="landmarks",
        shape=(39, 5),
        meaning="x, y, depth in input pixels, log odds of visibility and of presence; 33 points, 6 helpers",
    ),
    1: OutputSpec(name="presence", shape=(1,), meaning="probability that the crop shows a person"),
    3: OutputSpec(name="heatmap", shape=(64, 64, 39), meaning="log odds of each landmark, for refinement"),
    4: OutputSpec(
        name="world_landmarks", shape=(39, 3), meaning="x, y, z in metres from the middle of the hips"
    ),
}

POSE_LANDMARKS = ModelSpec(
    name="pose_landmarks",
    version="1",
    role="body.landmarks",
    source=PackageFile(
        package=MEDIAPIPE,
        path="mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    licence="Apache-2.0",
    provenance="MediaPipe BlazePose GHUM full, trained by Google on pictures it does not publish",
    input=InputSpec(shape=(256, 256, 3), layout="NHWC", color="RGB", normalisation="x / 255"),
    outputs=tuple(_LANDMARKS_OUTPUTS.values()),
    build=partial(convert_tflite, name="pose_landmarks", outputs=_LANDMARKS_OUTPUTS),
)

SPECS: tuple[ModelSpec, ...] = (POSE_DETECTOR, POSE_LANDMARKS)
