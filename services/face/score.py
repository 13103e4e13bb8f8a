"""Scoring people against named performers, and faces against each other. Pure, given the library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.signal.calibration import Calibration
from services.face.ensemble import Ensemble, Likeness, ModelKey
from services.face.library import FaceLibrary
from services.face.template import FaceTemplate

__all__ = ["PerformerScore", "score_person", "compare"]

# Even a worthless observation counts a little, so that a person seen only so is compared at all.
_LEAST_WEIGHT = 0.01


@dataclass(frozen=True, slots=True)
class PerformerScore:
    """How well one performer's faces fit one person."""

    performer_id: str
    likeness: Likeness
    faces: int
    """Enrolled faces that were compared."""
    llr: float | None = None
    """Natural log of P(similarity | this performer) / P(similarity | another); None without a calibration."""


def score_person(
    library: FaceLibrary,
    templates: Sequence[FaceTemplate],
    performer_ids: Sequence[str],
    calibration: Calibration | None = None,
    *,
    except_images: Iterable[str] = (),
) -> list[PerformerScore]:
    """Scores of the performers that have enrolled faces, in the order asked, each once.

    Each template is compared exactly with all faces of a performer and the best counts; the templates of the
    person are averaged by their quality. calibration: of the library's embedders. except_images: hashes of
    images whose faces are not compared.
    """
    out = library.rows_from(performer_ids, except_images)
    seen = [(one, library.positions(one, performer_ids, leave_out=out)) for one in templates]
    scores = []
    for performer_id in dict.fromkeys(performer_ids):
        parts = [(one.quality, found[performer_id]) for one, found in seen if performer_id in found]
        if parts:
            likeness = library.ensemble.likeness(_mean_by_quality(parts))
            best = max(quality for quality, _ in parts)
            llr = calibration.llr(likeness.similarity, best) if calibration else None
            faces = library.faces_of(performer_id, leave_out=out)
            scores.append(PerformerScore(performer_id, likeness, faces, llr))
    return scores


def compare(ensemble: Ensemble, templates: Sequence[FaceTemplate]) -> NDArray[np.float32]:
    """Similarities of all pairs, float32 (n, n), symmetric; NaN where two share no model.

    On the primary embedder's scale, as in `Likeness`.
    """
    count = len(templates)
    total, weights = np.zeros((count, count)), np.zeros((count, count))
    for row in ensemble.rows:
        has, cosines = _cosines(row.key, templates)
        both = np.outer(has, has)
        point = row.operating_point
        positions = (cosines - point.impostor_p99) / (point.genuine_median - point.impostor_p99)
        total += np.where(both, row.weight * positions, 0.0)
        weights += np.where(both, row.weight, 0.0)
    point = ensemble.primary.operating_point
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN we promise
        positions = total / weights
    spread = point.genuine_median - point.impostor_p99
    return np.clip(point.impostor_p99 + positions * spread, -1.0, 1.0).astype(np.float32)


def _cosines(
    key: ModelKey, templates: Sequence[FaceTemplate]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which templates have a vector of this model, and the cosines of all pairs (0 where one has none)."""
    has = np.array([key in template.vectors for template in templates])
    cosines = np.zeros((len(templates), len(templates)))
    if has.any():
        stacked = np.stack([one.vectors[key] for one in templates if key in one.vectors]).astype(np.float64)
        cosines[np.ix_(has, has)] = stacked @ stacked.T
    return has, cosines


def _mean_by_quality(parts: Sequence[tuple[float, float]]) -> float:
    """Mean of (quality, position) pairs, weighted by quality."""
    weights = [max(quality, _LEAST_WEIGHT) for quality, _ in parts]
    return float(np.average([position for _, position in parts], weights=weights))
