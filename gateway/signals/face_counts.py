"""Enrolled faces by quality. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["FaceCounts"]


@dataclass(frozen=True, slots=True)
class FaceCounts:
    """Faces of quality above 0.8 (good), below 0.4 (weak) and between; the best quality, 0..1.

    Besides these, which are searched, those that are not: in reserve, quarantined, and without a vector of an
    embedder in use.
    """

    good: int = 0
    usable: int = 0
    weak: int = 0
    best_quality: float = 0.0
    reserve: int = 0
    quarantined: int = 0
    unsearchable: int = 0

    @property
    def total(self) -> int:
        """All that are searched."""
        return self.good + self.usable + self.weak

    @classmethod
    def sum(cls, counts: Iterable[FaceCounts]) -> FaceCounts:
        """Those of several performers; a best quality is one performer's, so there is none."""
        each = list(counts)
        return cls(
            good=sum(one.good for one in each),
            usable=sum(one.usable for one in each),
            weak=sum(one.weak for one in each),
            reserve=sum(one.reserve for one in each),
            quarantined=sum(one.quarantined for one in each),
            unsearchable=sum(one.unsearchable for one in each),
        )
