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
from services.tattoo.enrolled import Compared, EnrolledTattoos, KnownTattoo
from services.tattoo.table import EmbedderRow
from services.tattoo.template import Template
from services.tattoo.verification import Agreement, Ranking, VerifyCandidates, verified

__all__ = ["ScoreTattoos", "TattooMatch", "TattooQuery", "TattooScore", "weighted"]


@dataclass(frozen=True, slots=True)
class TattooQuery:
    """Templates of one person and the performers to compare them with."""

    key: str
    templates: tuple[Template, ...]
    performer_ids: tuple[str, ...]
    except_images: frozenset[str] = frozenset()
    """Hashes of images whose views are not compared."""


@dataclass(frozen=True, slots=True)
class TattooMatch:
    """Which of a performer's tattoos one template is most like."""

    tattoo_id: str = ""
    """Of the view that most key points agree with, else of the most similar one; "": not comparable."""
    similarity: float = 0.0
    """-1..1; the most similar template's is that of the score."""
    llr: float | None = None
    """As that of the score, for this template's similarity; None without a calibration."""


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
    matches: tuple[TattooMatch, ...] = ()
    """One for each template, in their order."""


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
        found = await self._pool.run(self._compared, queries)
        rankings = [
            Ranking(template, _ranked(compared.similarities), query.except_images)
            for query, of_query in zip(queries, found, strict=True)
            for template, compared in zip(query.templates, of_query, strict=True)
        ]
        agreeing = await self._verify.agreements(self._enrolled, rankings)
        return await self._pool.run(self._scores, queries, found, agreeing)

    async def compare(self, templates: Sequence[Template]) -> NDArray[np.float64]:
        """Similarities of all pairs, (n, n), symmetric; NaN where two share no active embedder."""
        return await self._pool.run(self._compare, templates)

    def _compared(self, queries: Sequence[TattooQuery]) -> list[list[Compared]]:
        """Of each query's templates."""
        return [
            [
                self._enrolled.compared(one.vectors, query.performer_ids, except_images=query.except_images)
                for one in query.templates
            ]
            for query in queries
        ]

    def _scores(
        self,
        queries: Sequence[TattooQuery],
        found: Sequence[Sequence[Compared]],
        agreeing: Sequence[Mapping[str, Agreement]],
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
        found: Sequence[Compared],
        agreeing: Sequence[Mapping[str, Agreement]],
    ) -> list[TattooScore]:
        point = self._rows[0].operating_point
        points = [{one: found.points for one, found in of.items()} for of in agreeing]
        plain = [one.similarities for one in found]
        counted = [verified(*each, point) for each in zip(plain, points, strict=True)]
        qualities = [one.quality for one in query.templates]
        shares = _discounted_by_quality(counted, qualities, point)
        best, quality = _best(shares), max(qualities, default=0.0)
        return [
            TattooScore(
                one,
                best[one],
                self._enrolled.of(one, except_images=query.except_images),
                max(of.get(one, 0) for of in points),
                self._llr(best[one], quality),
                tuple(
                    self._match(one, of, compared, agreement, quality)
                    for of, compared, agreement in zip(shares, found, agreeing, strict=True)
                ),
            )
            for one in query.performer_ids
            if one in best
        ]

    def _match(
        self,
        performer_id: str,
        similarities: Mapping[str, float],
        compared: Compared,
        agreeing: Mapping[str, Agreement],
        quality: float,
    ) -> TattooMatch:
        """`quality`: of the person's best view, as for the score; what is worse has been discounted."""
        if performer_id not in similarities:
            return TattooMatch()
        similarity = similarities[performer_id]
        agreement = agreeing.get(performer_id)
        seq = agreement.seq if agreement is not None else compared.closest.get(performer_id)
        tattoo_id = self._enrolled.tattoo_of(performer_id, seq) if seq is not None else ""
        return TattooMatch(tattoo_id, similarity, self._llr(similarity, quality))

    def _llr(self, similarity: float, quality: float) -> float | None:
        return self._calibration.llr(similarity, quality) if self._calibration else None

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
    return _best(_discounted_by_quality(found, qualities, point))


def _ranked(similarities: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(sorted(similarities, key=lambda one: (-similarities[one], one)))


def _best(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    best: dict[str, float] = {}
    for similarities in found:
        for performer_id, similarity in similarities.items():
            best[performer_id] = max(similarity, best.get(performer_id, -np.inf))
    return best


def _discounted_by_quality(
    found: Sequence[Mapping[str, float]], qualities: Sequence[float], point: OperatingPoint
) -> list[dict[str, float]]:
    """What each template's similarities count, by performer."""
    most = max(qualities, default=0.0)
    weights = [quality / most if most > 0 else 1.0 for quality in qualities]
    return [
        {one: _discounted(similarity, weight, point.impostor_p99) for one, similarity in of.items()}
        for of, weight in zip(found, weights, strict=True)
    ]


def _discounted(similarity: float, weight: float, impostor: float) -> float:
    return similarity - max(0.0, similarity - impostor) * (1 - weight)
