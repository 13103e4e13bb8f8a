"""Enrolled faces by quality. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["FaceCounts"]


@dataclass(frozen=True, slots=True)
class FaceCounts:
    """Faces of quality above 0.8 (good), below 0.4 (weak) and between; the best quality, 0..1."""

    good: int = 0
    usable: int = 0
    weak: int = 0
    best_quality: float = 0.0

    @property
    def total(self) -> int:
        """All of them."""
        return self.good + self.usable + self.weak

    @classmethod
    def sum(cls, counts: Iterable[FaceCounts]) -> FaceCounts:
        """Those of several performers; a best quality is one performer's, so there is none."""
        each = list(counts)
        return cls(
            sum(one.good for one in each), sum(one.usable for one in each), sum(one.weak for one in each)
        )
