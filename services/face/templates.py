"""Alignment templates: which points of a face an embedder wants to see at which place of its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from services.face.mesh import FaceMesh

__all__ = ["AlignmentTemplate", "ARCFACE", "DLIB", "TEMPLATES", "LANDMARKS", "landmarks_of"]

# Each landmark is the mean of these points of the mesh. "Right" is the person's right, left in the picture.
_RIGHT_EYE = (33, 133)
_LEFT_EYE = (263, 362)
_NOSE_TIP = (1,)
_RIGHT_MOUTH_CORNER = (61,)
_LEFT_MOUTH_CORNER = (291,)

LANDMARKS: tuple[tuple[int, ...], ...] = (
    _RIGHT_EYE,
    _LEFT_EYE,
    _NOSE_TIP,
    _RIGHT_MOUTH_CORNER,
    _LEFT_MOUTH_CORNER,
)
"""Points of the mesh that make the five landmarks of an observation: eyes, nose tip, mouth corners."""


@dataclass(frozen=True, slots=True)
class AlignmentTemplate:
    """Where an aligned face's points lie, as shares of the input's side."""

    name: str
    landmarks: tuple[tuple[int, ...], ...]
    """For each point, the points of the mesh whose mean it is."""
    places: tuple[tuple[float, float], ...]
    """For each point, x and y in the input, 0..1."""

    def source(self, mesh: FaceMesh) -> NDArray[np.float64]:
        """The points on the face, (n, 2), in pixels of the picture."""
        return landmarks_of(mesh, self.landmarks)

    def target(self, size: int) -> NDArray[np.float64]:
        """Where they belong in an input of `size` x `size`, (n, 2), pixels."""
        return np.array(self.places) * size


def landmarks_of(mesh: FaceMesh, landmarks: tuple[tuple[int, ...], ...] = LANDMARKS) -> NDArray[np.float64]:
    """Landmarks (n, 2) in pixels of the picture."""
    return np.stack([mesh.points[list(group), :2].mean(axis=0) for group in landmarks])


# InsightFace's five points for 112 x 112 (Deng et al. 2019), used by most embedders trained since.
ARCFACE = AlignmentTemplate(
    name="arcface",
    landmarks=LANDMARKS,
    places=tuple(
        (x / 112, y / 112)
        for x, y in (
            (38.2946, 51.6963),
            (73.5318, 51.5014),
            (56.0252, 71.7366),
            (41.5493, 92.3655),
            (70.7299, 92.2041),
        )
    ),
)

# dlib's five points (eye corners and the base of the nose) for a chip with a margin of a quarter of the face.
_DLIB_PADDING = 0.25
DLIB = AlignmentTemplate(
    name="dlib",
    landmarks=((263,), (362,), (33,), (133,), (2,)),
    places=tuple(
        ((_DLIB_PADDING + x) / (1 + 2 * _DLIB_PADDING), (_DLIB_PADDING + y) / (1 + 2 * _DLIB_PADDING))
        for x, y in (
            (0.8595674595992, 0.2134981538014),
            (0.6460604764104, 0.2289674387677),
            (0.1205750620789, 0.2137274526848),
            (0.3340850613712, 0.2290642403242),
            (0.4901123135679, 0.6277975316475),
        )
    ),
)

TEMPLATES: Mapping[str, AlignmentTemplate] = MappingProxyType(
    {template.name: template for template in (ARCFACE, DLIB)}
)
"""By name, as the model table and the settings say them."""
