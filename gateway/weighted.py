"""The policy WEIGHTED: the original formula, kept exact. docs/fusion.md states it with a worked example.

Do not improve it here: its value is that everybody knows what it does. Better evidence is the business of
another policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Weights", "Scored", "weights_of", "rank_weighted"]

_GOOD_FACE_QUALITY = 0.8
_GOOD_FACE_WEIGHT = 1.0
_FACE_WEIGHT = 0.5
_TATTOO_WEIGHT_PER_COVERAGE = 2.0
_INCOMPATIBLE_FACTOR = 0.5
_AGREEING_FACTOR = 1.2


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of the score, 0..1; they sum to 1, or both are 0 when neither face nor tattoo is seen."""

    face: float
    tattoo: float


@dataclass(frozen=True, slots=True)
class Scored:
    """A performer's score, 0..1.2."""

    performer_id: str
    score: float


def weights_of(*, face_quality: float | None, tattoo_coverage: float | None) -> Weights:
    """The normalised weights. None: no face, or no tattoo, is found. Quality and coverage are 0..1."""
    face = 0.0
    if face_quality is not None:
        face = _GOOD_FACE_WEIGHT if face_quality > _GOOD_FACE_QUALITY else _FACE_WEIGHT
    tattoo = 0.0
    if tattoo_coverage is not None:
        tattoo = min(1.0, _TATTOO_WEIGHT_PER_COVERAGE * tattoo_coverage)
    total = face + tattoo
    return Weights(face / total, tattoo / total) if total > 0 else Weights(0.0, 0.0)


def rank_weighted(
    candidates: frozenset[str],
    *,
    weights: Weights,
    face: Mapping[str, float],
    tattoo: Mapping[str, float],
    compatible: frozenset[str] = frozenset(),
) -> tuple[Scored, ...]:
    """Candidates with their scores, best first, ties by performer id.

    candidates: everybody to rank; who is in neither list scores 0.
    face, tattoo: confidence 0..1 of each performer in the signal's own round-1 list. Absent is 0 and does not
        agree; a confidence of 0 does not agree either.
    compatible: those whose body proportions agree, and those without body rows. Empty: the body says nothing.
    """
    scored = [
        Scored(candidate, _score(candidate, weights, face, tattoo, compatible)) for candidate in candidates
    ]
    return tuple(sorted(scored, key=lambda one: (-one.score, one.performer_id)))


def _score(
    candidate: str,
    weights: Weights,
    face: Mapping[str, float],
    tattoo: Mapping[str, float],
    compatible: frozenset[str],
) -> float:
    face_confidence, tattoo_confidence = face.get(candidate, 0.0), tattoo.get(candidate, 0.0)
    score = weights.face * face_confidence + weights.tattoo * tattoo_confidence
    if compatible and candidate not in compatible:
        score *= _INCOMPATIBLE_FACTOR
    if face_confidence > 0 and tattoo_confidence > 0:
        score *= _AGREEING_FACTOR
    return score
