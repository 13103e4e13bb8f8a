"""Numbers of the model table, fitted on the calibration half of the identities and judged on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.faces.comparing import Comparison
from bench.faces.protocol import Trial
from services.face.table import EmbedderRow

__all__ = ["FittedPoint", "fit_point", "fit_threshold", "rates_at"]


@dataclass(frozen=True, slots=True)
class FittedPoint:
    """Of one embedder."""

    impostor_p99: float
    genuine_median: float
    genuine_pairs: int
    impostor_pairs: int


def fit_point(
    comparison: Comparison, row: EmbedderRow, identities: Mapping[str, Sequence[Path]]
) -> FittedPoint:
    """Quantiles of the cosines of all pairs of photographs of these people."""
    files = [file for group in identities.values() for file in group if comparison.seen[file] is not None]
    names = np.array([file.parent.name for file in files])
    vectors = comparison.vectors(row, files)
    cosines = vectors @ vectors.T
    upper = np.triu(np.ones(cosines.shape, dtype=bool), k=1)
    same = names[:, None] == names[None, :]
    genuine, impostor = cosines[same & upper], cosines[~same & upper]
    return FittedPoint(
        impostor_p99=float(np.quantile(impostor, 0.99)),
        genuine_median=float(np.median(genuine)),
        genuine_pairs=len(genuine),
        impostor_pairs=len(impostor),
    )


def fit_threshold(trials: Sequence[Trial], *, fpir: float) -> float:
    """Position that this share of unknown probes reaches, mean over trials."""
    thresholds = [np.quantile(_best_of_unknowns(trial), 1 - fpir, method="higher") for trial in trials]
    return float(np.mean(thresholds))


def rates_at(trials: Sequence[Trial], threshold: float) -> tuple[float, float]:
    """FPIR of the unknown probes, and the share of probes that are identified rightly, at a position."""
    fpir = np.mean([(_best_of_unknowns(trial) >= threshold).mean() for trial in trials])
    tpir = np.mean([_identified(trial, threshold) for trial in trials])
    return float(fpir), float(tpir)


def _best_of_unknowns(trial: Trial) -> NDArray[np.float64]:
    best: NDArray[np.float64] = trial.unknowns.max(axis=1)
    return best


def _identified(trial: Trial, threshold: float) -> float:
    is_right = trial.probes.argmax(axis=1) == trial.mates
    return float((is_right & (trial.probes.max(axis=1) >= threshold)).mean())
