"""What a picture shows of tattoos: the story of Observe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chassis.gallery import Match
from chassis.images import ImageLimits, RGBImage, decode
from chassis.work import WorkPool
from services.tattoo.crop import cut
from services.tattoo.detect import Detection
from services.tattoo.embed import TattooEmbedder
from services.tattoo.enrolled import EnrolledTattoos
from services.tattoo.finder import TattooFinder
from services.tattoo.quality import view_quality
from services.tattoo.template import Template

__all__ = ["ObservedImage", "ObservedTattoo", "ObserveTattoos"]


@dataclass(frozen=True, slots=True)
class ObservedTattoo:
    """One tattoo in an image."""

    detection: Detection
    template: Template
    matches: tuple[Match, ...]
    """Nearest performers, best first."""


@dataclass(frozen=True, slots=True)
class ObservedImage:
    """Sizes in pixels; tattoos largest first."""

    width: int
    height: int
    tattoos: tuple[ObservedTattoo, ...]


class ObserveTattoos:
    """Finds tattoos, describes them, and names the performers who have alike ones."""

    def __init__(
        self,
        finder: TattooFinder,
        embedder: TattooEmbedder,
        enrolled: EnrolledTattoos,
        pool: WorkPool,
        limits: ImageLimits,
    ) -> None:
        self._finder = finder
        self._embedder = embedder
        self._enrolled = enrolled
        self._pool = pool
        self._limits = limits

    async def __call__(self, image: bytes, max_candidates: int) -> ObservedImage:
        """`max_candidates`: matches of each tattoo, 0 or more.

        Raises InvalidImage for bytes that are no acceptable image, ModelError or Unavailable when a model is
        not there, Overloaded when there is too much to do.
        """
        picture = await self._pool.run(decode, image, self._limits)
        detections = await self._finder.find(picture)
        templates = await self._describe(picture, detections)
        matches = await self._pool.run(self._match, templates, max_candidates) if templates else []
        height, width = picture.shape[:2]
        tattoos = tuple(map(ObservedTattoo, detections, templates, matches))
        return ObservedImage(width, height, tattoos)

    async def check(self) -> None:
        """Run every network once. Raises ModelError where one does not give what the model table says."""
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        await self._finder.find(noise)
        await self._embedder.embed([noise])

    async def _describe(self, picture: RGBImage, detections: Sequence[Detection]) -> list[Template]:
        crops = [cut(picture, one.box) for one in detections]
        vectors = await self._embedder.embed(crops)
        qualities = [
            await self._pool.run(view_quality, crop, one.confidence)
            for crop, one in zip(crops, detections, strict=True)
        ]
        return list(map(Template, vectors, qualities))

    def _match(self, templates: Sequence[Template], k: int) -> list[tuple[Match, ...]]:
        return [tuple(self._enrolled.search(one.vectors, k)) for one in templates]
