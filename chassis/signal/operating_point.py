"""Where a model's similarities lie, and what that makes of one similarity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["OperatingPoint"]

_ValueT = TypeVar("_ValueT", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """Measured on pairs of observations; the contract's OperatingPoint says what each number means."""

    impostor_p99: float
    """99th percentile of the similarity of different people."""
    genuine_median: float
    """Median similarity of one and the same, above `impostor_p99`."""
    identification_confidence: float
    """Confidence 0..1 that one in a hundred unknown probes reaches (FPIR 1%)."""
    provenance: str
    """On what these were measured."""

    def position(self, similarity: _ValueT) -> _ValueT:
        """0 at the impostors' 99th percentile, 1 at the genuine median, linear and unbounded."""
        return (similarity - self.impostor_p99) / (self.genuine_median - self.impostor_p99)

    def confidence(self, similarity: float) -> float:
        """The position, held to 0..1."""
        return min(1.0, max(0.0, self.position(similarity)))

    def similarity(self, position: _ValueT) -> _ValueT:
        """The similarity at a position: the inverse of `position`."""
        return self.impostor_p99 + position * (self.genuine_median - self.impostor_p99)
