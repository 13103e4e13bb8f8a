"""What one view, or several together, say about proportions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.body.kinds import KINDS, RatioKind

__all__ = ["Measurement", "combine", "stack"]

# What is not measured has this precision in formulas: a log error of a million.
_NO_PRECISION = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """Log ratios and how sure each is, in the order of `KINDS`: of one person, or a row for each of many."""

    logs: NDArray[np.float64]
    """(6,) or (n, 6) natural logs of the ratios; 0 where not measured."""
    precisions: NDArray[np.float64]
    """(6,) or (n, 6) 1 / variance of the logs; 0 where not measured."""

    @classmethod
    def of(cls, ratios: dict[RatioKind, tuple[float, float]]) -> Measurement:
        """Of one person, from (ratio, log error) by kind; both above 0."""
        logs, precisions = np.zeros(len(KINDS)), np.zeros(len(KINDS))
        for kind, (value, log_error) in ratios.items():
            row = KINDS.index(kind)
            logs[row], precisions[row] = np.log(value), log_error**-2
        return cls(logs, precisions)

    @property
    def is_measured(self) -> NDArray[np.bool_]:
        """Which kinds were measured, of the arrays' shape."""
        measured: NDArray[np.bool_] = self.precisions > 0
        return measured

    @property
    def variances(self) -> NDArray[np.float64]:
        """Squared log errors; 1e12 where not measured, which stands for infinity."""
        variances: NDArray[np.float64] = 1 / np.maximum(self.precisions, _NO_PRECISION)
        return variances

    def ratios(self) -> dict[RatioKind, tuple[float, float]]:
        """(ratio, log error) by kind of one person, measured ones only."""
        return {
            kind: (float(np.exp(self.logs[row])), float(self.precisions[row] ** -0.5))
            for row, kind in enumerate(KINDS)
            if self.precisions[row] > 0
        }


def combine(measurements: Sequence[Measurement]) -> Measurement:
    """One person's mean by inverse variance, whose precision is the sum: what independent views say together.

    Views of one person are not quite independent; `likelihood` allows for it. Needs at least one, each (6,).
    """
    precisions = np.sum([one.precisions for one in measurements], axis=0)
    weighted = np.sum([one.logs * one.precisions for one in measurements], axis=0)
    return Measurement(weighted / np.where(precisions > 0, precisions, 1.0), precisions)


def stack(measurements: Sequence[Measurement]) -> Measurement:
    """Measurements of n people, each (6,), as rows (n, 6)."""
    shape = (len(measurements), len(KINDS))
    logs = np.array([one.logs for one in measurements]).reshape(shape)
    return Measurement(logs, np.array([one.precisions for one in measurements]).reshape(shape))
