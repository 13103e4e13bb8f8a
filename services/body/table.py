"""The models of the body signal, and where the similarities of its measurements lie."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.signal.operating_point import OperatingPoint

__all__ = [
    "DETECTOR",
    "LANDMARKS",
    "RATIOS",
    "OPERATING_POINT",
    "confidence_of",
    "MeasurementModel",
]

DETECTOR = "pose_detector"
"""Name of the network that finds people."""
LANDMARKS = "pose_landmarks"
"""Name of the network that places key points."""


@dataclass(frozen=True, slots=True)
class MeasurementModel:
    """What makes vectors. Vectors of different versions are never compared."""

    name: str
    version: str

    @property
    def key(self) -> tuple[str, str]:
        """What vectors are filed under."""
        return (self.name, self.version)

    def with_landmarks(self, digest: str) -> MeasurementModel:
        """The version with another landmark network, by its file's SHA-256: it places joints elsewhere."""
        return MeasurementModel(self.name, f"{self.version}+{digest[:12]}")


RATIOS = MeasurementModel("body_ratios", "1")


OPERATING_POINT = OperatingPoint(
    # 1% of strangers reach 0.70 with one enrolled picture and 0.75 with ten (rendered bodies, docs/body.md).
    impostor_p99=0.75,
    # Pictures of one person reach 0.66 to 0.71 in the median, less than the luckiest strangers: perfect
    # agreement stands at the upper end instead.
    genuine_median=1.0,
    # No similarity of bodies identifies anybody: the ceiling below keeps every confidence under this.
    identification_confidence=1.0,
    provenance="rendered bodies and the published errors of photographs (docs/body.md)",
)
_CEILING = 0.2
"""Most confidence that proportions alone can give."""


def confidence_of(similarity: float) -> float:
    """Confidence 0..0.2, low and flat: look-alikes are no evidence of identity."""
    return _CEILING * OPERATING_POINT.confidence(similarity)
