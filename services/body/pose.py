"""One person's key points in one picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box
from services.body.skeleton import KeyPoint

__all__ = ["Pose", "EDGE_MARGIN"]

EDGE_MARGIN = 0.01
"""Share of the picture's shorter side: a point nearer to the edge than this counts as outside. The network
places the parts it cannot see beyond the edge, or pushes them just inside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Key points as the network sees them. `width` and `height` are the picture's, pixels."""

    points: NDArray[np.float64]
    """(33, 2) pixels of the picture; may lie outside it."""
    confidence: NDArray[np.float64]
    """(33,) the network's probability that the point is in its crop and not hidden, 0..1."""
    world: NDArray[np.float64]
    """(33, 3) metres from the middle of the hips, as the network guesses: right, down, away from us."""
    presence: float
    """The network's probability that its crop shows a person, 0..1."""
    width: int
    height: int
    visibility: NDArray[np.float64] = field(init=False)
    """(33,) `confidence`, but 0 outside the picture."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "visibility", np.where(self._is_inside(), self.confidence, 0.0))

    def _is_inside(self) -> NDArray[np.bool_]:
        margin = EDGE_MARGIN * min(self.width, self.height)
        limit = np.array([self.width - margin, self.height - margin])
        inside: NDArray[np.bool_] = np.all((self.points >= margin) & (self.points <= limit), axis=1)
        return inside

    def point(self, key: KeyPoint) -> NDArray[np.float64]:
        """(2,) pixels."""
        place: NDArray[np.float64] = self.points[key]
        return place

    def middle(self, keys: Iterable[KeyPoint]) -> NDArray[np.float64]:
        """The mean place of several key points, (2,) pixels."""
        mean: NDArray[np.float64] = self.points[list(keys)].mean(axis=0)
        return mean

    def least_visibility(self, keys: Iterable[KeyPoint]) -> float:
        """The least visibility of several key points, 0..1."""
        return float(self.visibility[list(keys)].min())

    def box(self, *, threshold: float = 0.5) -> Box | None:
        """The box around the key points with at least that visibility; None when fewer than two are."""
        seen = self.points[self.visibility >= threshold]
        if len(seen) < 2:
            return None
        (left, top), (right, bottom) = seen.min(axis=0), seen.max(axis=0)
        return Box.from_corners(float(left), float(top), float(right), float(bottom))
