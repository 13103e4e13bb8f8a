"""How well people fit performers, and each other: the stories of Score and Compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.work import WorkPool
from services.body.enrolled import FollowedBodies
from services.body.likelihood import are_compatible, compared_ratios, log_likelihood_ratios, similarities
from services.body.measurement import Measurement, combine, stack

__all__ = ["BodyQuery", "BodyScore", "ScoreBodies"]


@dataclass(frozen=True, slots=True)
class BodyQuery:
    """Measurements of one person and the performers to compare them with."""

    key: str
    measurements: tuple[Measurement, ...]
    """None at all fits nobody."""
    performer_ids: tuple[str, ...]
    except_images: frozenset[str] = frozenset()
    """Hashes of images whose measurements are not compared."""


@dataclass(frozen=True, slots=True)
class BodyScore:
    """How well one performer's proportions fit one person; `likelihood` defines the values."""

    performer_id: str
    similarity: float
    llr: float
    is_compatible: bool
    compared_ratios: int
    measurements: int
    full_views: int
    """Of the measurements, those that show every proportion."""


class ScoreBodies:
    """Compares people with exactly the performers asked for.

    tolerance: relative difference up to which a proportion agrees, beyond the error of the measurements.
    """

    def __init__(self, bodies: FollowedBodies, pool: WorkPool, *, tolerance: float) -> None:
        self._bodies = bodies
        self._pool = pool
        self._tolerance = tolerance

    async def __call__(self, queries: Sequence[BodyQuery]) -> list[list[BodyScore]]:
        """Of each query, one score for each performer with measurements, in the order asked."""
        return await self._pool.run(self._score_all, queries)

    async def compare(self, measurements: Sequence[Measurement | None]) -> NDArray[np.float64]:
        """Similarities of all pairs, (n, n), symmetric; NaN where one is None: of another model."""
        return await self._pool.run(_compare, measurements)

    def _score_all(self, queries: Sequence[BodyQuery]) -> list[list[BodyScore]]:
        return [self._score(query) for query in queries]

    def _score(self, query: BodyQuery) -> list[BodyScore]:
        bodies = self._bodies.known
        found = ((one, bodies.of(one, except_images=query.except_images)) for one in query.performer_ids)
        known = [(one, body) for one, body in found if body is not None]
        if not query.measurements or not known:
            return []
        probe = combine(query.measurements)
        enrolled = stack([body.measurement for _, body in known])
        similarity = similarities(probe, enrolled)
        llr = log_likelihood_ratios(probe, enrolled)
        is_compatible = are_compatible(probe, enrolled, tolerance=self._tolerance)
        compared = compared_ratios(probe, enrolled)
        return [
            BodyScore(
                performer_id=performer_id,
                similarity=float(similarity[row]),
                llr=float(llr[row]),
                is_compatible=bool(is_compatible[row]),
                compared_ratios=int(compared[row]),
                measurements=body.count,
                full_views=body.full_views,
            )
            for row, (performer_id, body) in enumerate(known)
        ]


def _compare(measurements: Sequence[Measurement | None]) -> NDArray[np.float64]:
    present = [row for row, one in enumerate(measurements) if one is not None]
    known = [one for one in measurements if one is not None]
    matrix = np.full((len(measurements), len(measurements)), np.nan)
    everybody = stack(known)
    for row, one in zip(present, known, strict=True):
        matrix[row, present] = similarities(one, everybody)
    return matrix
