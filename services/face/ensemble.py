"""Several embedders as one: similarities on one scale, their weighted mean. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.face.table import ENSEMBLE_IDENTIFICATION_CONFIDENCE, EmbedderRow

__all__ = ["ModelKey", "Ensemble", "Likeness"]

ModelKey = tuple[str, str]
"""Name and version of an embedder; vectors of different keys are never compared."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much two faces are alike."""

    similarity: float
    """Cosine, -1..1; with several embedders on the primary one's scale."""
    confidence: float
    """0..1, see `OperatingPoint.confidence`."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The embedders in use, the primary first; at least one."""

    rows: tuple[EmbedderRow, ...]

    @property
    def primary(self) -> EmbedderRow:
        return self.rows[0]

    @property
    def keys(self) -> tuple[ModelKey, ...]:
        return tuple(row.key for row in self.rows)

    @property
    def identification_confidence(self) -> float:
        """Confidence 0..1 that one in a hundred strangers reaches with these embedders together."""
        names = frozenset(row.name for row in self.rows)
        if len(self.rows) > 1 and names in ENSEMBLE_IDENTIFICATION_CONFIDENCE:
            return ENSEMBLE_IDENTIFICATION_CONFIDENCE[names]
        return _weighted([(row.weight, row.operating_point.identification_confidence) for row in self.rows])

    def position(self, similarities: Mapping[ModelKey, float]) -> float | None:
        """Mean position (see `OperatingPoint.position`), weighted by row, over the embedders that have a
        similarity; None when none of ours has one.
        """
        known = [
            (row.weight, row.operating_point.position(similarities[row.key]))
            for row in self.rows
            if row.key in similarities
        ]
        return _weighted(known) if known else None

    def likeness(self, position: float) -> Likeness:
        """What a mean position means. The similarity is held to -1..1."""
        similarity = self.primary.operating_point.similarity(position)
        return Likeness(min(1.0, max(-1.0, similarity)), min(1.0, max(0.0, position)))


def _weighted(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(weight * value for weight, value in pairs) / sum(weight for weight, _ in pairs)
