"""What the signals saw in one image, as the gateway handles it. Pixels are those of the image as shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from chassis.geometry import Box, Point
from marquee.common.v1 import common_pb2

__all__ = [
    "Signal",
    "Candidate",
    "KeyPoint",
    "RegionView",
    "FaceSeen",
    "TattooSeen",
    "BodySeen",
    "OperatingPoint",
    "Observed",
    "SeenT",
]


class Signal(IntEnum):
    """A kind of evidence; the numbers are the contract's."""

    FACE = common_pb2.SIGNAL_FACE
    TATTOO = common_pb2.SIGNAL_TATTOO
    BODY = common_pb2.SIGNAL_BODY

    @property
    def label(self) -> str:
        """How people call it: `face`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A performer whom a signal proposes: similarity in the model's measure, confidence 0..1.

    `agreeing_points`: of a tattoo's key points; 0 where there are too few, or none were compared.
    """

    performer_id: str
    similarity: float
    confidence: float
    agreeing_points: int = 0


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """A landmark of a body: pixels, and the probability 0..1 that it is in the picture and not hidden."""

    x: float
    y: float
    visibility: float


@dataclass(frozen=True, slots=True)
class RegionView:
    """A body region, its outline (at least 3 corners) and the probability 0..1 that it is in view."""

    region: common_pb2.BodyRegion.ValueType
    outline: tuple[Point, ...]
    visibility: float


@dataclass(frozen=True, slots=True)
class FaceSeen:
    """A face. `landmarks`: 5 points (eyes, nose, mouth corners) or none. `template` is opaque."""

    box: Box
    quality: float
    detection_confidence: float
    landmarks: tuple[Point, ...]
    template: common_pb2.Template
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class TattooSeen:
    """A tattoo. `mask`: outline of the inked skin, at least 3 corners, or none."""

    box: Box
    quality: float
    detection_confidence: float
    mask: tuple[Point, ...]
    template: common_pb2.Template
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class BodySeen:
    """A body.

    `key_points`: 33 in BlazePose order, or none. `template`: None when nothing could be measured.
    """

    box: Box
    quality: float
    detection_confidence: float
    key_points: tuple[KeyPoint, ...]
    regions: tuple[RegionView, ...]
    template: common_pb2.Template | None
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A model and the confidence, 0..1, at which its best candidate counts as identified (FPIR 1%)."""

    model: str
    version: str
    identification_confidence: float


SeenT = TypeVar("SeenT")


@dataclass(frozen=True, slots=True)
class Observed(Generic[SeenT]):
    """All that one signal saw; the first operating point is the primary model's."""

    width: int
    height: int
    seen: tuple[SeenT, ...]
    operating_points: tuple[OperatingPoint, ...]
