"""Similarities of all photographs by one embedder or several, and trials made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.faces.observing import Seen
from bench.faces.protocol import Scores, Trial
from services.face.table import EmbedderRow

__all__ = ["Comparison", "draw_trials", "best_trial"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How alike the faces of any two sets of photographs are, by these embedders."""

    rows: tuple[EmbedderRow, ...]
    seen: Mapping[Path, Seen | None]

    def scores(self, probes: Sequence[Path], gallery: Sequence[Path]) -> Scores:
        """(probes, gallery): positions as `Ensemble.position`; minus infinity where a face was missed."""
        total = np.zeros((len(probes), len(gallery)))
        for row in self.rows:
            cosines = self.vectors(row, probes) @ self.vectors(row, gallery).T
            total += row.weight * row.operating_point.position(cosines)
        total /= sum(row.weight for row in self.rows)
        total[~self._has_face(probes)] = -np.inf
        total[:, ~self._has_face(gallery)] = -np.inf
        return total

    def similarities(self, probes: Sequence[Path], gallery: Sequence[Path]) -> Scores:
        """(probes, gallery): on the first embedder's scale, -1..1, as `Likeness`; minus infinity as above."""
        positions = self.scores(probes, gallery)
        told = np.clip(self.rows[0].operating_point.similarity(positions), -1, 1)
        return np.where(np.isfinite(positions), told, -np.inf)

    def vectors(self, row: EmbedderRow, files: Sequence[Path]) -> NDArray[np.float64]:
        """(files, dimension); zeros where a face was missed."""
        vectors = np.zeros((len(files), row.dimension))
        for index, file in enumerate(files):
            seen = self.seen[file]
            if seen is not None:
                vectors[index] = seen.vectors[row.key]
        return vectors

    def _has_face(self, files: Sequence[Path]) -> NDArray[np.bool_]:
        return np.array([self.seen[file] is not None for file in files])


def draw_trials(
    comparison: Comparison,
    identities: Mapping[str, Sequence[Path]],
    strangers: Sequence[Path],
    *,
    draws: int,
    seed: int,
) -> list[Trial]:
    """Trials with one gallery photograph for each identity, drawn at random; the others are probes."""
    rng = np.random.default_rng(seed)
    galleries = [
        [files[int(rng.integers(len(files)))] for files in identities.values()] for _ in range(draws)
    ]
    return [_trial(comparison, identities, strangers, gallery) for gallery in galleries]


def best_trial(
    comparison: Comparison, identities: Mapping[str, Sequence[Path]], strangers: Sequence[Path]
) -> Trial:
    """The trial in which each identity is enrolled with the photograph of the best quality.

    Quality is the service's own measure; ties go by the detector's confidence.
    """

    def worth(file: Path) -> tuple[float, float]:
        seen = comparison.seen[file]
        return (seen.factors.quality, seen.confidence) if seen else (-1.0, -1.0)

    return _trial(comparison, identities, strangers, [max(files, key=worth) for files in identities.values()])


def _trial(
    comparison: Comparison,
    identities: Mapping[str, Sequence[Path]],
    strangers: Sequence[Path],
    gallery: Sequence[Path],
) -> Trial:
    pairs = [
        (probe, number)
        for number, files in enumerate(identities.values())
        for probe in files
        if probe != gallery[number]
    ]
    probes = [probe for probe, _ in pairs]
    return Trial(
        probes=comparison.scores(probes, gallery),
        mates=np.array([number for _, number in pairs]),
        probes_with_strangers=comparison.scores(probes, strangers),
        unknowns=comparison.scores(strangers, gallery),
    )
