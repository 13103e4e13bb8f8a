"""Observing: what faces are in a picture, what they are worth, and whom they may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import MarqueeError
from chassis.geometry import Box, Point
from chassis.images import ImageLimits, decode
from chassis.signal.describing import described, is_passing
from chassis.work import WorkPool
from services.face.alignment import aligned
from services.face.ensemble import ModelKey
from services.face.finder import FaceFinder, FoundFace
from services.face.library import FaceCandidate, FaceLibrary
from services.face.models_in_use import FaceModels
from services.face.picture import Picture
from services.face.quality import (
    QualityFactors,
    detail_of,
    detection_factor,
    frontality_factor,
    sharpness_factor,
    size_factor,
    turn_of,
)
from services.face.template import FaceTemplate
from services.face.templates import ARCFACE, landmarks_of

__all__ = ["ObservedFace", "Observation", "Observer", "quality_of"]

# Detail is measured on the aligned face, at most this many pixels wide and never enlarged.
_LARGEST_MEASURED = 112
_SMALLEST_MEASURED = 32


@dataclass(frozen=True, slots=True)
class ObservedFace:
    """One face of a picture, in pixels of the picture."""

    box: Box
    confidence: float
    """The detector's, 0..1."""
    factors: QualityFactors
    landmarks: tuple[Point, ...]
    """Image-left eye, image-right eye, nose tip, image-left and image-right mouth corner."""
    template: FaceTemplate
    candidates: tuple[FaceCandidate, ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """All faces of a picture, largest first, as these models see them."""

    width: int
    height: int
    faces: tuple[ObservedFace, ...]
    models: FaceModels


class Observer:
    """Looks at pictures."""

    def __init__(
        self,
        finder: FaceFinder,
        models: Callable[[], FaceModels],
        pool: WorkPool,
        limits: ImageLimits,
    ) -> None:
        self._finder = finder
        self._models = models
        self._pool = pool
        self._limits = limits

    async def observe(self, data: bytes, *, max_candidates: int) -> Observation:
        """Faces of one encoded picture, each with at most `max_candidates` performers.

        Raises InvalidImage; Overloaded, ModelError or Unavailable as models and threads do.
        """
        picture = Picture(await self._pool.run(decode, data, self._limits))
        found = await self._finder.find(picture)
        models = self._models()
        if not found:
            return Observation(picture.width, picture.height, (), models)
        vectors = await self._vectors(models, picture, found)
        factors = await self._pool.run(lambda: [quality_of(picture, face) for face in found])
        templates = [
            FaceTemplate({key: values[index] for key, values in vectors.items()}, one.quality)
            for index, one in enumerate(factors)
        ]
        candidates = await self._pool.run(_search, models.library, templates, max_candidates)
        faces = map(_observed, found, factors, templates, candidates)
        return Observation(picture.width, picture.height, tuple(faces), models)

    async def _vectors(
        self, models: FaceModels, picture: Picture, found: Sequence[FoundFace]
    ) -> dict[ModelKey, NDArray[np.float32]]:
        """Unit vectors (n, dimension) of the faces by each embedder, those that serve first."""
        meshes = [face.mesh for face in found]
        served, further = await described(
            [one.embed(picture, meshes) for one in models.embedders],
            [one.embed(picture, meshes) for one in models.further],
        )
        vectors = {one.row.key: values for one, values in zip(models.embedders, served, strict=True)}
        for one, values in zip(models.further, further, strict=True):
            if not isinstance(values, MarqueeError):
                vectors[one.row.key] = values
                models.on_work(one.row, "")
            elif not is_passing(values):
                models.on_work(one.row, str(values))
        return vectors


def _search(
    library: FaceLibrary, templates: Sequence[FaceTemplate], max_candidates: int
) -> list[tuple[FaceCandidate, ...]]:
    if max_candidates == 0:
        return [() for _ in templates]
    return [tuple(library.search(template, max_candidates)) for template in templates]


def quality_of(picture: Picture, face: FoundFace) -> QualityFactors:
    """The factors of a face's quality, measured."""
    width = min(face.mesh.box.width, face.mesh.box.height)
    size = int(np.clip(width, _SMALLEST_MEASURED, _LARGEST_MEASURED))
    return QualityFactors(
        detection=detection_factor(face.confidence * face.mesh.presence),
        size=size_factor(width),
        sharpness=sharpness_factor(detail_of(aligned(picture, face.mesh, ARCFACE, size))),
        frontality=frontality_factor(turn_of(face.mesh)),
    )


def _observed(
    face: FoundFace,
    factors: QualityFactors,
    template: FaceTemplate,
    candidates: tuple[FaceCandidate, ...],
) -> ObservedFace:
    points = landmarks_of(face.mesh).tolist()
    return ObservedFace(
        box=face.box,
        confidence=face.confidence,
        factors=factors,
        landmarks=tuple(Point(x, y) for x, y in points),
        template=template,
        candidates=candidates,
    )
