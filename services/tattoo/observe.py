"""What a picture shows of tattoos: the story of Observe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from chassis.gallery import Match
from chassis.images import ImageLimits, RGBImage, decode
from chassis.inference import Inference
from chassis.work import WorkPool
from services.tattoo.crop import cut
from services.tattoo.detect import Detection
from services.tattoo.embed import TattooEmbedder
from services.tattoo.finder import TattooFinder
from services.tattoo.models_in_use import TattooModels
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
    models: TattooModels
    """That describe them."""


class ObserveTattoos:
    """Finds tattoos, describes them, and names the performers who have alike ones."""

    def __init__(
        self,
        inference: Inference,
        finder: TattooFinder,
        models: Callable[[], TattooModels],
        pool: WorkPool,
        limits: ImageLimits,
    ) -> None:
        self._inference = inference
        self._finder = finder
        self._models = models
        self._pool = pool
        self._limits = limits

    async def __call__(self, image: bytes, max_candidates: int) -> ObservedImage:
        """`max_candidates`: matches of each tattoo, 0 or more.

        Raises InvalidImage for bytes that are no acceptable image, ModelError or Unavailable when a model is
        not there, Overloaded when there is too much to do.
        """
        picture = await self._pool.run(decode, image, self._limits)
        detections = await self._finder.find(picture)
        models = self._models()
        templates = await self._describe(models, picture, detections)
        matches = await self._pool.run(_match, models, templates, max_candidates) if templates else []
        height, width = picture.shape[:2]
        tattoos = tuple(map(ObservedTattoo, detections, templates, matches))
        return ObservedImage(width, height, tattoos, models)

    async def check(self) -> None:
        """Run the detector once. Raises ModelError where it does not give what the model table says."""
        await self._finder.find(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))

    async def _describe(
        self, models: TattooModels, picture: RGBImage, detections: Sequence[Detection]
    ) -> list[Template]:
        crops = [cut(picture, one.box) for one in detections]
        embedder = TattooEmbedder(
            self._inference, self._pool, models.rows, models.further, on_work=models.on_work
        )
        vectors = await embedder.embed(crops)
        qualities = [
            await self._pool.run(view_quality, crop, one.confidence)
            for crop, one in zip(crops, detections, strict=True)
        ]
        return list(map(Template, vectors, qualities))


def _match(models: TattooModels, templates: Sequence[Template], k: int) -> list[tuple[Match, ...]]:
    return [tuple(models.enrolled.search(one.vectors, k)) for one in templates]
