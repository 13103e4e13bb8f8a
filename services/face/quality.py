"""How much one face observation is worth: the product of four factors. docs/face.md gives the formula.

The ends of each factor are round numbers, set where the similarity of genuine pairs begins to fall and where
little is left of it as faces are reduced, blurred or turned; an ordinary sharp frontal face is above 0.8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chassis.images import RGBImage, cv2
from services.face.mesh import FaceMesh

__all__ = [
    "QualityFactors",
    "detection_factor",
    "size_factor",
    "sharpness_factor",
    "frontality_factor",
    "detail_of",
    "turn_of",
]

# Each factor is 0 at or below the first number, 1 at or above the second, and linear between them.
_DETECTION = (0.2, 0.8)
_SIZE = (8.0, 48.0)
_DETAIL = (0.05, 0.13)
# Degrees the head is turned away: full worth up to the first, none from the second on.
_TURN = (20.0, 80.0)

_RIGHT_CHEEK, _LEFT_CHEEK = 234, 454
_FOREHEAD, _CHIN = 10, 152


@dataclass(frozen=True, slots=True)
class QualityFactors:
    """What lowers the worth of an observation; each is 0..1 and 1 costs nothing."""

    detection: float
    """How sure the detector is; see `detection_factor`."""
    size: float
    """How many pixels the face has; see `size_factor`."""
    sharpness: float
    """How much detail the pixels hold; see `sharpness_factor`."""
    frontality: float
    """How far the face looks towards the camera; see `frontality_factor`."""

    @property
    def quality(self) -> float:
        """The product, 0..1: any factor alone can make an observation worthless."""
        return self.detection * self.size * self.sharpness * self.frontality


def detection_factor(confidence: float) -> float:
    """0..1 for the detector's confidence times the mesh's presence, 0..1."""
    return _ramp(confidence, *_DETECTION)


def size_factor(width: float) -> float:
    """0..1 for the lesser side of the mesh's box in pixels."""
    return _ramp(width, *_SIZE)


def sharpness_factor(detail: float) -> float:
    """0..1 for what `detail_of` measured."""
    return _ramp(detail, *_DETAIL)


def frontality_factor(turn: float) -> float:
    """0..1 for the turn of the head in degrees, 0..180."""
    full, none = np.cos(np.radians(_TURN))
    return _ramp(float(np.cos(np.radians(turn))), float(none), float(full))


def detail_of(face: RGBImage) -> float:
    """Share of the finest detail in the contrast of an aligned face, at least 0.

    The standard deviation of the Laplacian over that of the luminance. The spectrum of natural pictures falls
    as one over the frequency, so a sharp face gives about the same at any size; blur lowers it.
    """
    luminance = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    contrast = float(luminance.std())
    return float(cv2.Laplacian(luminance, cv2.CV_32F).std()) / contrast if contrast > 0 else 0.0


def turn_of(mesh: FaceMesh) -> float:
    """Degrees 0..180 between the direction of the face and that to the camera, from yaw and pitch.

    A head that leans to the side is not turned: alignment puts it upright.
    """
    across = mesh.points[_LEFT_CHEEK] - mesh.points[_RIGHT_CHEEK]
    down = mesh.points[_CHIN] - mesh.points[_FOREHEAD]
    outwards = np.cross(across, down)
    length = float(np.linalg.norm(outwards))
    cosine = float(outwards[2]) / length if length > 0 else 0.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))
