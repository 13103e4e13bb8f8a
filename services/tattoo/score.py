"""How well people's tattoos fit performers, and each other: the stories of Score and Compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from chassis.signal.calibration import Calibration
from chassis.signal.operating_point import OperatingPoint
from chassis.work import WorkPool
from services.tattoo.enrolled import EnrolledTattoos, KnownTattoo
from services.tattoo.table import EmbedderRow
from services.tattoo.template import Template
from services.tattoo.verification import Ranking, VerifyCandidates, verified

__all__ = ["ScoreTattoos", "TattooQuery", "TattooScore", "weighted"]


@dataclass(frozen=True, slots=True)
class TattooQuery:
    """Templates of one person and the performers to compare them with."""

    key: str
    templates: tuple[Template, ...]
    performer_ids: tuple[str, ...]
    except_images: frozenset[str] = frozenset()
    """Hashes of images whose views are not compared."""


@dataclass(frozen=True, slots=True)
class TattooScore:
    """How well one performer's tattoos fit one person."""

    performer_id: str
    similarity: float
    """-1..1, in the primary embedder's measure; see `verified` and `weighted`."""
    known: tuple[KnownTattoo, ...]
    agreeing: int = 0
    """Key points of one template that agree with an enrolled view, at most; 0: too few, or not compared."""
    llr: float | None = None
    """Natural log of P(similarity | this performer) / P(similarity | another); None without a calibration."""


class ScoreTattoos:
    """Compares people with exactly the performers asked for.

    rows: the active embedders, primary first; calibration: of their similarities.
    """

    def __init__(
        self,
        enrolled: EnrolledTattoos,
        pool: WorkPool,
        rows: Sequence[EmbedderRow],
        verify: VerifyCandidates,
        calibration: Calibration | None = None,
    ) -> None:
        self._enrolled = enrolled
        self._pool = pool
        self._rows = tuple(rows)
        self._verify = verify
        self._calibration = calibration

    async def __call__(self, queries: Sequence[TattooQuery]) -> list[list[TattooScore]]:
        """Of each query, one score for each performer with comparable tattoos, in the order asked."""
        found = await self._pool.run(self._similarities, queries)
        rankings = [
            Ranking(
                template,
                sorted(similarities, key=lambda one: (-similarities[one], one)),
                query.except_images,
            )
            for query, of_query in zip(queries, found, strict=True)
            for template, similarities in zip(query.templates, of_query, strict=True)
        ]
        agreeing = await self._verify(self._enrolled, rankings)
        return await self._pool.run(self._scores, queries, found, agreeing)

    async def compare(self, templates: Sequence[Template]) -> NDArray[np.float64]:
        """Similarities of all pairs, (n, n), symmetric; NaN where two share no active embedder."""
        return await self._pool.run(self._compare, templates)

    def _similarities(self, queries: Sequence[TattooQuery]) -> list[list[dict[str, float]]]:
        """Of each query's templates, by performer."""
        return [
            [
                self._enrolled.similarities(
                    one.vectors, query.performer_ids, except_images=query.except_images
                )
                for one in query.templates
            ]
            for query in queries
        ]

    def _scores(
        self,
        queries: Sequence[TattooQuery],
        found: Sequence[Sequence[Mapping[str, float]]],
        agreeing: Sequence[Mapping[str, int]],
    ) -> list[list[TattooScore]]:
        """`agreeing`: of the templates of all queries, one after the other."""
        points = iter(agreeing)
        return [
            self._score(query, of_query, list(islice(points, len(of_query))))
            for query, of_query in zip(queries, found, strict=True)
        ]

    def _score(
        self,
        query: TattooQuery,
        found: Sequence[Mapping[str, float]],
        agreeing: Sequence[Mapping[str, int]],
    ) -> list[TattooScore]:
        point = self._rows[0].operating_point
        counted = [verified(*each, point) for each in zip(found, agreeing, strict=True)]
        best = weighted(counted, [one.quality for one in query.templates], point)
        quality = max((one.quality for one in query.templates), default=0.0)
        return [
            TattooScore(
                one,
                best[one],
                self._enrolled.of(one, except_images=query.except_images),
                max(of.get(one, 0) for of in agreeing),
                self._calibration.llr(best[one], quality) if self._calibration else None,
            )
            for one in query.performer_ids
            if one in best
        ]

    def _compare(self, templates: Sequence[Template]) -> NDArray[np.float64]:
        """Averaged over shared embedders by position, like a probe and a gallery."""
        count = len(templates)
        total, shared = np.zeros((count, count)), np.zeros((count, count))
        for row in self._rows:
            have = [index for index, one in enumerate(templates) if row.key in one.vectors]
            if not have:
                continue
            vectors = np.stack([templates[index].vectors[row.key] for index in have]).astype(np.float64)
            pairs = np.ix_(have, have)
            total[pairs] += row.operating_point.position(vectors @ vectors.T)
            shared[pairs] += 1
        positions = np.where(shared > 0, total / np.maximum(shared, 1), np.nan)
        return np.clip(self._rows[0].operating_point.similarity(positions), -1, 1)


def weighted(
    found: Sequence[Mapping[str, float]], qualities: Sequence[float], point: OperatingPoint
) -> dict[str, float]:
    """Return each performer's best similarity over the templates of one person, weighted by quality.

    `found`: of each template, similarity by performer. A person's best view counts in full; of a lesser one
    the part of a similarity that impostors seldom reach, s - a for s above the impostors' 99th percentile a,
    counts in proportion to its quality: a + (s - a) q / max q. So a blurred view cannot outvote a sharp one,
    and a second tattoo that is not enrolled takes nothing away.
    """
    most = max(qualities, default=0.0)
    best: dict[str, float] = {}
    for similarities, quality in zip(found, qualities, strict=True):
        weight = quality / most if most > 0 else 1.0
        for performer_id, similarity in similarities.items():
            counted = _discounted(similarity, weight, point.impostor_p99)
            best[performer_id] = max(counted, best.get(performer_id, -np.inf))
    return best


def _discounted(similarity: float, weight: float, impostor: float) -> float:
    return similarity - max(0.0, similarity - impostor) * (1 - weight)
