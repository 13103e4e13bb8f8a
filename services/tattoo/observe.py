"""What a picture shows of tattoos: the story of Observe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chassis.fingerprint import Fingerprint
from chassis.images import ImageLimits, RGBImage, decode
from chassis.inference import Inference
from chassis.work import WorkPool
from services.tattoo.crop import cut
from services.tattoo.detect import Detection
from services.tattoo.embed import TattooEmbedder
from services.tattoo.finder import TattooFinder
from services.tattoo.key_points import KeyPoints, find_key_points
from services.tattoo.models_in_use import TattooModels
from services.tattoo.quality import view_quality
from services.tattoo.template import Template
from services.tattoo.verification import Ranking, VerifyCandidates, verified

__all__ = ["ObservedImage", "ObservedTattoo", "ObserveTattoos", "VerifiedMatch"]


@dataclass(frozen=True, slots=True)
class VerifiedMatch:
    """A performer whose tattoos are alike."""

    performer_id: str
    similarity: float
    """-1..1, with key points counted; see `verified`."""
    agreeing: int = 0
    """Key points that agree; 0: too few to mean anything, or they were not compared."""


@dataclass(frozen=True, slots=True)
class ObservedTattoo:
    """One tattoo in an image."""

    detection: Detection
    template: Template
    matches: tuple[VerifiedMatch, ...]
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
        verify: VerifyCandidates,
    ) -> None:
        self._inference = inference
        self._finder = finder
        self._models = models
        self._pool = pool
        self._limits = limits
        self._verify = verify

    async def __call__(self, image: bytes, max_candidates: int) -> ObservedImage:
        """`max_candidates`: matches of each tattoo, 0 or more.

        Raises InvalidImage for bytes that are no acceptable image, ModelError or Unavailable when a model is
        not there, Overloaded when there is too much to do.
        """
        picture = await self._pool.run(decode, image, self._limits)
        detections = await self._finder.find(picture)
        models = self._models()
        templates = await self._describe(models, picture, detections)
        matches = await self._match(models, templates, max_candidates)
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
        vectors, points = await asyncio.gather(embedder.embed(crops), self._key_points(crops))
        qualities = [
            await self._pool.run(view_quality, crop, one.confidence)
            for crop, one in zip(crops, detections, strict=True)
        ]
        fingerprint = await self._pool.run(Fingerprint.of, picture) if crops else None
        described = zip(vectors, qualities, points, strict=True)
        return [Template(*one, fingerprint) for one in described]

    async def _key_points(self, crops: Sequence[RGBImage]) -> list[KeyPoints | None]:
        """Of each crop, while the embedder works; nothing where nothing is verified."""
        if not self._verify.candidates:
            return [None] * len(crops)
        # Falsy is what has no points.
        return [await self._pool.run(find_key_points, crop) or None for crop in crops]

    async def _match(
        self, models: TattooModels, templates: Sequence[Template], k: int
    ) -> list[tuple[VerifiedMatch, ...]]:
        """At most k of each: of the most alike, and of whoever else key points agree with."""
        if not templates or k < 1:
            return [() for _ in templates]
        rankings = [Ranking(one) for one in templates]
        agreeing = await self._verify(models.enrolled, rankings)
        found = await self._pool.run(_search, models, templates, agreeing, k)
        return [_verified(models, *each)[:k] for each in zip(found, agreeing, strict=True)]


def _search(
    models: TattooModels, templates: Sequence[Template], agreeing: Sequence[Mapping[str, int]], k: int
) -> list[dict[str, float]]:
    """Similarities of the k most alike performers, and of those with whom key points agree."""
    found = []
    for template, of_one in zip(templates, agreeing, strict=True):
        alike = {one.performer_id: one.similarity for one in models.enrolled.search(template.vectors, k)}
        further = [one for one in of_one if one not in alike]
        found.append(alike | models.enrolled.similarities(template.vectors, further))
    return found


def _verified(
    models: TattooModels, plain: Mapping[str, float], agreeing: Mapping[str, int]
) -> tuple[VerifiedMatch, ...]:
    """Best first, ties by performer id."""
    similarities = verified(plain, agreeing, models.rows[0].operating_point)
    ranking = sorted(similarities, key=lambda one: (-similarities[one], one))
    return tuple(VerifiedMatch(one, similarities[one], agreeing.get(one, 0)) for one in ranking)
